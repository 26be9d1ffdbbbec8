"""One import name: folders at the top, links under src/, and nothing else installed."""

from __future__ import annotations

import importlib
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("pipeline", "tables", "agents", "gateway", "bench", "examples")


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_import_name_is_a_link_to_the_folder(folder: str) -> None:
    link = ROOT / "src" / "docreactor" / folder

    assert link.is_symlink(), (
        f"{link.relative_to(ROOT)} is not a link. This checkout was made without symbolic links "
        "(git config core.symlinks): it builds and installs, but it cannot be worked in."
    )
    assert link.readlink() == Path("../..") / folder
    assert (ROOT / folder / "__init__.py").is_file()


def test_nothing_but_links_and_the_front_door_lies_under_src() -> None:
    real = {
        path.name
        for path in (ROOT / "src" / "docreactor").iterdir()
        if not path.is_symlink() and path.name != "__pycache__"
    }

    assert all(name == "py.typed" or name.endswith(".py") for name in real), real
    assert {"__init__.py", "py.typed"} <= real
    assert [path.name for path in (ROOT / "src").iterdir()] == ["docreactor"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_imported_by_one_name_only(folder: str) -> None:
    module = importlib.import_module(f"docreactor.{folder}")

    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == ROOT / folder / "__init__.py"
    elsewhere = (
        "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    )
    found = subprocess.run([sys.executable, "-P", "-c", elsewhere, folder], cwd="/", check=False)
    assert found.returncode == 1, f"a top-level {folder} is installed: it would hide another's"


def test_the_editable_install_points_at_src_and_owns_one_command() -> None:
    distribution = importlib.metadata.distribution("docreactor")

    commands = {e.name: e.value for e in distribution.entry_points if e.group == "console_scripts"}
    assert commands == {"docreactor": "docreactor.gateway.cli:main"}
    links = [p for p in distribution.files or [] if p.suffix == ".pth"]
    assert [Path(p.locate()).read_text().strip() for p in links] == [str(ROOT / "src")]


def test_every_folder_is_spelt_alike_in_every_part_of_the_configuration() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    wheel = tool["hatch"]["build"]["targets"]["wheel"]

    assert set(tool["hatch"]["build"]["exclude"]) == {f"src/docreactor/{f}" for f in FOLDERS}
    assert set(wheel["only-include"]) == {"src/docreactor", *FOLDERS}
    assert wheel["sources"] == {
        "src/docreactor": "docreactor",
        **{folder: f"docreactor/{folder}" for folder in FOLDERS},
    }
    banned = tool["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    assert banned.keys() == set(FOLDERS)
    layers = tool["importlinter"]["contracts"][0]["layers"]
    assert set(layers) == {f"docreactor.{folder}" for folder in FOLDERS}
