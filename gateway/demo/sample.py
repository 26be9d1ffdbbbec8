"""A small repository of fixed content, for places that have no history of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docreactor.gateway.git.history import Mode
from docreactor.gateway.git.program import answer, running

_BEGIN_S = 1_700_000_000
_STEP_S = 3_600
_AUTHORS = ("Ada Example <ada@example.org>", "Bo Example <bo@example.org>")
_CHAPTERS = 12
_ROUNDS = 8
_IMAGE = bytes(range(256)) * 16
_WORDS = ("offset", "action", "keyframe", "partition", "revision", "token", "replay", "log")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a commit makes of one path. No content: the path goes; a submodule's is its commit."""

    path: str
    content: bytes | None
    mode: str = Mode.FILE


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a history that is being written; an hour after the last, if not told when."""

    subject: str
    entries: Sequence[Entry]
    committed_s: int | None = None


def write_repository(path: Path, steps: Sequence[Step] | None = None) -> Path:
    """Make a bare repository of these commits at the path. The same steps give the same ids."""
    answer(path.parent, "init", "--quiet", "--bare", str(path))
    answer(path, "symbolic-ref", "HEAD", "refs/heads/main")
    with running(path, "fast-import", "--quiet") as (stream, _):
        for number, step in enumerate(steps if steps is not None else story()):
            stream.writelines(_commands(number, step))
    return path


def story() -> list[Step]:
    """Chapters that grow and are corrected; a picture, a rename, a deletion and a return."""
    chapters = {f"chapters/{number:02}.md": _chapter(number) for number in range(_CHAPTERS)}
    steps = [Step("Begin", (_text("README.md", ["# A book", ""]), *_texts(chapters)))]
    steps += _rounds(chapters)
    picture = Entry("pictures/cover.bin", _IMAGE)
    steps += [
        Step("Draw a cover", (picture,)),
        Step("Write a script", (_text("bin/count", ["#!/bin/sh", "wc -l chapters/*"]),)),
        Step("Let the script run", (_text("bin/count", ["#!/bin/sh", "wc -l *"], "100755"),)),
        Step("Point at the first", (Entry("first", b"chapters/00.md", Mode.SYMLINK),)),
        Step("Keep notes", (_text("notes/odd, loose & \N{OWL}.txt", ["Later."]),)),
        Step("Draw it again", (Entry(picture.path, _IMAGE[::-1]),)),
        Step("Drop the draft", (Entry("chapters/03.md", None),)),
        Step("Rename", (Entry("chapters/04.md", None), Entry("chapters/four.md", b"Four \r\n"))),
        Step("Bring the draft back", (_text("chapters/03.md", ["# Three, anew", "\N{OWL}"]),)),
        Step("Say what it is", (_text("README.md", ["# A book", "", "Of \N{OWL}s."]),)),
    ]
    return steps


def _rounds(chapters: dict[str, list[str]]) -> Iterator[Step]:
    for turn in range(_ROUNDS):
        for number, (path, lines) in enumerate(chapters.items()):
            word = _WORDS[(turn + number) % len(_WORDS)]
            lines[1 + turn % (len(lines) - 1)] = f"On the {word}, said again in round {turn}."
            lines.append(f"And one more {word} \N{EM DASH} number {turn}.")
            yield Step(f"Correct {path}, round {turn}", (_text(path, lines),))


def _chapter(number: int) -> list[str]:
    sentences = (f"The {word} of chapter {number} stands here." for word in _WORDS)
    return [f"# Chapter {number}", *sentences]


def _texts(chapters: dict[str, list[str]]) -> Iterator[Entry]:
    return (_text(path, lines) for path, lines in chapters.items())


def _text(path: str, lines: Sequence[str], mode: str = Mode.FILE) -> Entry:
    return Entry(path, "".join(f"{line}\n" for line in lines).encode(), mode)


def _commands(number: int, step: Step) -> Iterator[bytes]:
    when = f"{step.committed_s or _BEGIN_S + number * _STEP_S} +0000"
    author, committer = _AUTHORS[number % len(_AUTHORS)], _AUTHORS[0]
    subject = step.subject.encode()
    yield f"commit refs/heads/main\nauthor {author} {when}\n".encode()
    yield f"committer {committer} {when}\ndata {len(subject)}\n".encode() + subject + b"\n"
    for entry in step.entries:
        if entry.content is None:
            yield b"D " + _quoted(entry.path) + b"\n"
        elif entry.mode == Mode.SUBMODULE:
            yield b"M 160000 " + entry.content + b" " + _quoted(entry.path) + b"\n"
        else:
            yield f"M {entry.mode} inline ".encode() + _quoted(entry.path) + b"\n"
            yield f"data {len(entry.content)}\n".encode() + entry.content + b"\n"
    yield b"\n"


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode(errors="surrogateescape")
