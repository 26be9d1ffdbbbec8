"""The class archive: what a JVM learnt of our class path once, so that it boots in half."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import lock
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.runtime import Runtime
from docreactor.gateway.broker.server import await_ready, end, kill, launch, recorded_server

AOT_MAJOR_MIN = 25
"""From here on the archive is an AOT cache; before it, it holds classes only."""
LOCK_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Archive:
    """One file for a Java and a class path. Both profiles use it: their collector is the same."""

    path: Path
    ahead: bool

    @property
    def is_made(self) -> bool:
        return self.path.is_file()

    def flags(self) -> tuple[str, ...]:
        """What makes a JVM use the archive; nothing where it could not write one."""
        if self.path.stat().st_size == 0:
            return ()
        return (f"-XX:{'AOTCache' if self.ahead else 'SharedArchiveFile'}={self.path}",)

    def writing_flags(self, path: Path) -> tuple[str, ...]:
        """What makes a JVM write one when it ends, which takes it some seconds."""
        return (f"-XX:{'AOTCacheOutput' if self.ahead else 'ArchiveClassesAtExit'}={path}",)


def archive_of(runtime: Runtime) -> Archive:
    """Where the archive of this runtime lies: a JVM passes over one of another runtime."""
    facts = (str(runtime.java.path), runtime.java.version, *map(str, runtime.jars))
    key = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]
    path = runtime.cache / "archives" / f"java{runtime.java.major}-{key}.jsa"
    return Archive(path, ahead=runtime.java.major >= AOT_MAJOR_MIN)


def archive_flags(runtime: Runtime, *, progress: Progress) -> tuple[str, ...]:
    """The flags of every start; the first of a machine makes the archive, in about 5 s."""
    archive = archive_of(runtime)
    if not archive.is_made:
        with lock(runtime.cache / "archive.lock", wait_s=LOCK_WAIT_S, progress=progress):
            if not archive.is_made:
                _make(archive, runtime, progress=progress)
    return archive.flags()


def _make(archive: Archive, runtime: Runtime, *, progress: Progress) -> None:
    """Boot an empty broker and stop it: the archive holds what that took."""
    progress(Step("Making Apache Kafka start faster, once"))
    home = Home(runtime.cache / "training")
    _clear(home)
    home.directory.mkdir(parents=True)
    try:
        arriving = home.directory / archive.path.name
        server = launch(
            home, runtime, profile=Profile.FAST, flags=archive.writing_flags(arriving), kept=False
        )
        await_ready(home, server, progress=progress)
        end(home, server)
        archive.path.parent.mkdir(parents=True, exist_ok=True)
        # A Java without archives of its own writes none; an empty file says not to ask again.
        arriving.touch()
        os.replace(arriving, archive.path)
    finally:
        _clear(home)


def _clear(home: Home) -> None:
    """End and remove what an earlier attempt, perhaps a killed one, has left."""
    if server := recorded_server(home):
        kill(home, server)
    shutil.rmtree(home.directory, ignore_errors=True)
