"""Every file that a history ever had: each becomes a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from docreactor.gateway.git.history import Change, Commit, Repository

_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class File:
    """One life of a path, from the commit that adds it to the one that removes it.

    A path that returns is another file. The id is the same at every reading.
    """

    id: str
    changes: tuple[Change, ...]

    @property
    def path(self) -> str:
        """The path as text."""
        return shown(self.changes[0].path)

    @property
    def versions(self) -> tuple[Change, ...]:
        """The changes that left something to read."""
        return self.changes[:-1] if self.changes[-1].removes else self.changes

    @property
    def removed(self) -> Commit | None:
        """The commit that removed it, or None while it is there."""
        return self.changes[-1].commit if self.changes[-1].removes else None


def read_files(repository: Repository, progress: Callable[[int], None]) -> list[tuple[File, ...]]:
    """Every path's files, oldest first. `progress` learns the count of commits read."""
    paths: dict[bytes, list[list[Change]]] = {}
    for count, (_, changes) in enumerate(repository.commits(), 1):
        for change in changes:
            lives = paths.setdefault(change.path, [])
            if not lives or lives[-1][-1].removes:
                lives.append([])
            lives[-1].append(change)
        progress(count)
    return [tuple(_files(lives)) for lives in paths.values()]


def shown(path: bytes) -> str:
    """A path as text; bytes that are not UTF-8 show as escapes."""
    return path.decode(errors="backslashreplace")


def derived_id(commit: Commit, path: bytes, kind: str) -> str:
    """An id of what one commit did to one path: the same at every reading."""
    text = b"\0".join((commit.id.encode(), path, kind.encode()))
    return sha256(text).hexdigest()[:_ID_DIGITS]


def _files(lives: list[list[Change]]) -> Iterator[File]:
    for changes in lives:
        begun = changes[0]
        yield File(derived_id(begun.commit, begun.path, "document"), tuple(changes))
