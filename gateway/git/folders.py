"""Every folder that a history ever had: each becomes a document, with edges to what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from docreactor.gateway.git.files import File, derived_id, shown
from docreactor.gateway.git.history import Commit
from docreactor.pipeline.timestamp import Microseconds

ROOT = b""
"""The path of the folder that is the repository itself."""


class Child(NamedTuple):
    """One life of a file or a folder, by the path that it has."""

    path: bytes
    id: str


class Move(NamedTuple):
    """A child that a commit brought to a folder, or took from it."""

    commit: Commit
    stamp: Microseconds
    child: Child
    came: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """One life of a folder, from the commit that put something there to the one that emptied it.

    The moves' stamps only grow, and are later than that of `begun`. A folder that returns is
    another one; the repository itself stays, also when it is empty.
    """

    id: str
    where: bytes
    begun: Commit
    moves: tuple[Move, ...]
    removed: Commit | None

    @property
    def path(self) -> str:
        """The path as text."""
        return shown(self.where)


def read_folders(paths: Iterable[Sequence[File]]) -> list[tuple[Folder, ...]]:
    """The folders of these files, every path's oldest first, the repository itself foremost.

    As in git a folder is there while something is in it; of what one commit does, only what it
    leaves counts.
    """
    tree = _Tree()
    turns = sorted(_turns(paths), key=lambda turn: turn.commit.stamp)
    for _, together in groupby(turns, key=lambda turn: turn.commit.stamp):
        now = list(together)
        for turn in now:
            if turn.came:
                tree.put(turn.child, turn.commit)
        for turn in now:
            if not turn.came:
                tree.take(turn.child, turn.commit)
    return tree.folders()


class _Turn(NamedTuple):
    """A file that came or went."""

    commit: Commit
    child: Child
    came: bool


def _turns(paths: Iterable[Sequence[File]]) -> Iterator[_Turn]:
    for files in paths:
        for file in files:
            begun = file.changes[0]
            child = Child(begun.path, file.id)
            yield _Turn(begun.commit, child, came=True)
            if file.removed is not None:
                yield _Turn(file.removed, child, came=False)


@dataclass(slots=True)
class _Life:
    """A folder while the history is read."""

    child: Child
    begun: Commit
    moves: list[Move] = field(default_factory=list[Move])
    holds: set[Child] = field(default_factory=set[Child])
    removed: Commit | None = None

    def put(self, child: Child, commit: Commit) -> None:
        self.holds.add(child)
        self._move(child, commit, came=True)

    def take(self, child: Child, commit: Commit) -> None:
        self.holds.remove(child)
        self._move(child, commit, came=False)

    def _move(self, child: Child, commit: Commit, *, came: bool) -> None:
        newest = self.moves[-1].stamp if self.moves else self.begun.stamp
        stamp = Microseconds(max(commit.stamp, newest + 1))
        self.moves.append(Move(commit, stamp, child, came))

    @property
    def folder(self) -> Folder:
        path, id = self.child
        return Folder(id, path, self.begun, tuple(self.moves), self.removed)


class _Tree:
    """The folders as the commits read so far left them."""

    def __init__(self) -> None:
        self._living: dict[bytes, _Life] = {}
        self._lives: dict[bytes, list[_Life]] = {}

    def put(self, child: Child, commit: Commit) -> None:
        """A child comes, and with it every folder on its way that is not there."""
        there = False
        while not there:
            path, _, _ = child.path.rpartition(b"/")
            there = path in self._living
            life = self._living[path] if there else self._begin(path, commit)
            life.put(child, commit)
            there = there or path == ROOT
            child = life.child

    def take(self, child: Child, commit: Commit) -> None:
        """A child goes, and with it every folder on its way that holds nothing else."""
        while True:
            path, _, _ = child.path.rpartition(b"/")
            life = self._living[path]
            life.take(child, commit)
            if life.holds or path == ROOT:
                return
            life.removed = commit
            del self._living[path]
            child = life.child

    def folders(self) -> list[tuple[Folder, ...]]:
        """All there were."""
        ordered = sorted(self._lives.items())
        return [tuple(life.folder for life in lives) for _, lives in ordered]

    def _begin(self, path: bytes, commit: Commit) -> _Life:
        life = _Life(Child(path, derived_id(commit, path, "folder")), commit)
        self._living[path] = life
        self._lives.setdefault(path, []).append(life)
        return life
