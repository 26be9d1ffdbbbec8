"""What others install: the sdist and the wheel built from it, and the command in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("pipeline", "tables", "agents", "gateway", "bench", "examples")


@dataclass(frozen=True)
class Built:
    """The wheel and the sdist, by the names of the files in them."""

    wheel: Path
    wheel_names: frozenset[str]
    sdist_names: frozenset[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both, built as a user would: the sdist from the checkout, the wheel from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT))
    (sdist,) = out.glob("*.tar.gz")
    (wheel,) = out.glob("*.whl")
    with tarfile.open(sdist) as archive:
        files = [member.name for member in archive.getmembers() if member.isfile()]
    with zipfile.ZipFile(wheel) as archive:
        return Built(
            wheel=wheel,
            wheel_names=frozenset(archive.namelist()),
            sdist_names=frozenset(str(PurePosixPath(*Path(f).parts[1:])) for f in files),
        )


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executables of a new environment that holds the wheel and borrows its dependencies."""
    place = tmp_path_factory.mktemp("clean")
    run(sys.executable, "-m", "venv", "--without-pip", str(place))
    python = str(place / "bin" / "python")
    install = ("install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", python, *install, str(built.wheel))
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A path in a .pth file is no site directory: our own editable install does not come along.
    (Path(purelib) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "bin"


def test_the_wheel_holds_every_file_of_every_folder_under_the_import_name(built: Built) -> None:
    wanted = {f"docreactor/{path}" for path in files_of_the_folders()}

    assert wanted <= built.wheel_names, sorted(wanted - built.wheel_names)


def test_the_wheel_installs_nothing_but_the_import_name(built: Built) -> None:
    tops = {name.split("/")[0] for name in built.wheel_names}

    (metadata,) = tops - {"docreactor"}
    assert metadata.startswith("docreactor-") and metadata.endswith(".dist-info")


def test_the_wheel_is_typed_and_carries_its_command_and_licence(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = {PurePosixPath(name).name: name for name in archive.namelist()}
        commands = archive.read(names["entry_points.txt"]).decode()
        metadata = archive.read(names["METADATA"]).decode()

    assert "docreactor/py.typed" in built.wheel_names
    assert "docreactor = docreactor.gateway.cli:main" in commands
    assert "License-Expression: Apache-2.0" in metadata
    assert "LICENSE" in names


def test_the_sdist_holds_the_real_folders_and_not_their_links(built: Built) -> None:
    wanted = {str(path) for path in files_of_the_folders()}
    wanted |= {"pyproject.toml", "README.md", "LICENSE", "src/docreactor/__init__.py"}

    assert wanted <= built.sdist_names, sorted(wanted - built.sdist_names)
    links = tuple(f"src/docreactor/{folder}" for folder in FOLDERS)
    assert not [name for name in built.sdist_names if name.startswith(links)]


def test_the_installed_command_answers_from_the_wheel(installed: Path) -> None:
    where = "import docreactor.pipeline as p; print(p.__file__)"

    assert run(str(installed / "python"), "-c", where).startswith(str(installed.parent.resolve()))
    assert "Usage" in run(str(installed / "docreactor"), "--help")


def files_of_the_folders() -> Iterator[PurePosixPath]:
    """Everything in our folders that is not a cache, data files too."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield PurePosixPath(path.relative_to(ROOT))


def run(*command: str) -> str:
    """The output of a command that must succeed; its errors are part of the failure."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
