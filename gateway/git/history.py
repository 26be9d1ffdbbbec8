"""A repository's history: its first-parent commits and what each changed, oldest first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from docreactor.gateway.git.program import answer, texts
from docreactor.pipeline.errors import (
    EmptyHistoryError,
    GitFailedError,
    NotARepositoryError,
    ShallowHistoryError,
)
from docreactor.pipeline.timestamp import Microseconds

_MARK = b"\x01"
_FORMAT = "%x01%H%x00%ct%x00%at%x00%an%x00%ae%x00%s"
_FIELDS = 6
_SUBJECT_CHARACTERS_MAX = 1_000
_SECOND = 1_000_000
_SECONDS_MAX = 253_402_300_799  # the end of the year 9999


class Mode(StrEnum):
    """What git calls a file's mode."""

    FILE = "100644"
    EXECUTABLE = "100755"
    SYMLINK = "120000"
    SUBMODULE = "160000"
    ABSENT = "000000"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit; `stamp` is later than that of every commit before it."""

    id: str
    stamp: Microseconds
    authored: Microseconds
    author: str
    email: str
    subject: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit did to one path. The blob and mode are those after the commit.

    `path` is as git stores it: bytes, of any encoding.
    """

    commit: Commit
    path: bytes
    mode: str
    blob: str

    @property
    def removes(self) -> bool:
        """Whether the path is gone after the commit."""
        return self.mode == Mode.ABSENT


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that has a history to read."""

    path: Path
    head: str
    commit_count: int

    @classmethod
    def open(cls, path: Path) -> Self:
        """Find the repository that the folder belongs to.

        NotARepository, EmptyHistory, ShallowHistory or GitMissing when there is no whole history.
        """
        path = path.resolve()
        if not path.is_dir():
            raise NotARepositoryError(str(path), "it is no folder")
        try:
            shallow = answer(path, "rev-parse", "--is-shallow-repository")
        except GitFailedError as cause:
            raise NotARepositoryError(str(path), cause.reason) from cause
        try:
            head = answer(path, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        except GitFailedError as cause:
            raise EmptyHistoryError(str(path)) from cause
        if shallow.strip() == b"true":
            raise ShallowHistoryError(str(path))
        name = head.decode().strip()
        count = answer(path, "rev-list", "--count", "--first-parent", name)
        return cls(_top(path), name, int(count))

    def commits(self) -> Iterator[tuple[Commit, tuple[Change, ...]]]:
        """Every first-parent commit with its changes, oldest first.

        Each is stamped max(committer time, previous stamp + 1 µs). A merge shows what it brought
        to its first parent, a rename is a removal and an addition.
        """
        arguments = ["log", "--first-parent", "--reverse", "-m", "--raw", "--no-abbrev"]
        arguments += ["--no-renames", "--ignore-submodules=none", "--encoding=UTF-8", "--no-color"]
        arguments += ["-z", f"--format=tformat:{_FORMAT}", self.head, "--"]
        return _read(texts(self.path, *arguments))


def _top(path: Path) -> Path:
    """The folder that holds the whole working tree, or the path where there is none."""
    if answer(path, "rev-parse", "--is-inside-work-tree").strip() != b"true":
        return path
    return Path(os.fsdecode(answer(path, "rev-parse", "--show-toplevel").removesuffix(b"\n")))


def _read(parts: Iterator[bytes]) -> Iterator[tuple[Commit, tuple[Change, ...]]]:
    commit: Commit | None = None
    changes: list[Change] = []
    stamp = Microseconds(0)
    for part in parts:
        entry = part.lstrip(b"\n")
        if entry.startswith(_MARK):
            if commit is not None:
                yield commit, tuple(changes)
            fields = [entry[1:], *(next(parts) for _ in range(_FIELDS - 1))]
            commit, changes = _commit(fields, stamp), []
            stamp = commit.stamp
        elif entry.startswith(b":") and commit is not None:
            _, mode, _, blob, _ = entry[1:].split(b" ", 4)
            changes.append(Change(commit, next(parts), mode.decode(), blob.decode()))
    if commit is not None:
        yield commit, tuple(changes)


def _commit(fields: list[bytes], previous: Microseconds) -> Commit:
    id, committed, authored, author, email, subject = (
        field.decode(errors="replace") for field in fields
    )
    return Commit(
        id=id,
        stamp=Microseconds(max(_moment(committed), previous + 1)),
        authored=_moment(authored),
        author=author,
        email=email,
        subject=subject[:_SUBJECT_CHARACTERS_MAX],
    )


def _moment(seconds: str) -> Microseconds:
    """Damaged commits carry no time, or one beyond every calendar."""
    return Microseconds(min(max(int(seconds or 0), 0), _SECONDS_MAX) * _SECOND)
