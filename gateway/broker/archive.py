"""The class archive: what a JVM learnt of our class path once, so that it boots in a third."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from docreactor.gateway.broker.java import Java

AOT_MAJOR_MIN = 25
"""From here on the archive holds compiled code as well; before it, classes only."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One file per Java, class path and flags; used when it is there, else made at a stop."""

    java: Java
    path: Path

    @property
    def is_made(self) -> bool:
        return self.path.is_file()

    def flags(self, *, pending: Path | None) -> tuple[str, ...]:
        """Use the archive, or write one to `pending` when the JVM ends."""
        ahead = self.java.major >= AOT_MAJOR_MIN
        if self.is_made:
            return (f"-XX:AOTCache={self.path}" if ahead else f"-XX:SharedArchiveFile={self.path}",)
        if pending is None:
            return ()
        pending.parent.mkdir(parents=True, exist_ok=True)
        return (f"-XX:{'AOTCacheOutput' if ahead else 'ArchiveClassesAtExit'}={pending}",)


def archive_for(
    cache: Path, java: Java, class_path: Iterable[Path], flags: Iterable[str]
) -> Archive:
    """The archive's place: a JVM ignores one made for another Java, class path or flags."""
    facts = (str(java.path), java.version, *map(str, class_path), *flags)
    key = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]
    return Archive(java, cache.absolute() / "archives" / f"java{java.major}-{key}.jsa")


def keep(pending: Path, path: Path) -> None:
    """Put what an ended JVM has written where the next one looks for it, or drop it."""
    if path.exists():
        pending.unlink(missing_ok=True)
    elif pending.is_file():
        os.replace(pending, path)
