"""What every start needs: a Java, the checked jars, and a cache for what they produce."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docreactor.gateway.broker.jars import class_path, jar_directory
from docreactor.gateway.broker.java import Java, bundled_java, find_java
from docreactor.gateway.broker.progress import Progress

NATIVE_MAJOR_MIN = 24
"""From here on a JVM complains of what Kafka's native code does unless told that it may."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Java and a class path of absolute jars."""

    java: Java
    jars: tuple[Path, ...]
    cache: Path

    @property
    def kafka(self) -> Path:
        """The directory of the jars."""
        return jar_directory(self.cache)

    def command(self, *flags: str) -> tuple[str, ...]:
        """The launcher with its flags and the class path: a main class follows."""
        native = (
            ("--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED")
            if self.java.major >= NATIVE_MAJOR_MIN
            else ()
        )
        path = os.pathsep.join(map(str, self.jars))
        return (str(self.java.path), *native, *flags, "-cp", path)


def find_runtime(
    cache: Path, *, progress: Progress, environ: Mapping[str, str] = os.environ
) -> Runtime:
    """Java first, which is asked for in a moment, then the jars, which may take a while."""
    java = find_java(environ, bundled=bundled_java())
    jars = class_path(cache, progress=progress, environ=environ)
    return Runtime(java, jars, cache.absolute())
