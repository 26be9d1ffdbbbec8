"""The `git` program, run for its answer or kept open to be asked for more."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from docreactor.pipeline.errors import GitFailedError, GitMissingError

_CHUNK_BYTES = 1 << 16
# Hooks and aliases run with these set; they would lead git to another repository than the path's.
_MISLEADING = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"})
# What a reader's own configuration may turn: roots left out, signatures between the commits,
# paths relative to a folder.
_PLAIN = ("-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "diff.relative=false")


@contextmanager
def running(path: Path, *arguments: str) -> Generator[tuple[IO[bytes], IO[bytes]], None, None]:
    """What to write to git and what to read from it, as long as the block runs.

    Git has ended after the block: GitFailed with its own words when it ended badly.
    """
    program = shutil.which("git")
    if program is None:
        raise GitMissingError()
    environment = {name: text for name, text in os.environ.items() if name not in _MISLEADING}
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(
            [program, "-C", str(path), *_PLAIN, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=environment | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        ) as git,
    ):
        assert git.stdin is not None and git.stdout is not None
        try:
            yield git.stdin, git.stdout
            git.stdin.close()
            git.wait()
        finally:
            git.kill()
        if git.returncode:
            complaints.seek(0)
            raise GitFailedError(" ".join(arguments), _sentence(complaints.read()))


def answer(path: Path, *arguments: str) -> bytes:
    """Everything that git prints, or GitFailed."""
    with running(path, *arguments) as (_, output):
        return output.read()


def texts(path: Path, *arguments: str) -> Generator[bytes, None, None]:
    """What git prints, split at its NULs, or GitFailed at the end."""
    with running(path, *arguments) as (_, output):
        rest = b""
        while chunk := output.read(_CHUNK_BYTES):
            *whole, rest = (rest + chunk).split(b"\0")
            yield from whole
        if rest:
            yield rest


def _sentence(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return " ".join(line.strip() for line in lines[:8]) or "it gave no reason"
