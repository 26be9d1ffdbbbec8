"""What blobs hold: text, or what names it when it is binary or large."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import IO

from docreactor.gateway.git.program import running
from docreactor.pipeline.errors import GitFailedError

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """What a blob holds. `text` is None where it is not UTF-8, has a NUL, or is too large."""

    text: str | None
    size: int
    sha256: str

    @classmethod
    def of(cls, content: bytes) -> Content:
        """The content of bytes that were read."""
        return cls(_text(content), len(content), sha256(content).hexdigest())


class Contents:
    """Blobs of one repository, asked of one git that stays open. Threads may share it."""

    def __init__(self, wanted: IO[bytes], output: IO[bytes], *, text_bytes_max: int) -> None:
        self._wanted = wanted
        self._output = output
        self._text_bytes_max = text_bytes_max
        self._lock = Lock()

    def read(self, blob: str) -> Content:
        """Read one blob; one over `text_bytes_max` is never held as a whole."""
        with self._lock:
            size = self._ask(blob)
            if size <= self._text_bytes_max:
                content = Content.of(b"".join(self._chunks(size)))
            else:
                summed = sha256()
                for chunk in self._chunks(size):
                    summed.update(chunk)
                content = Content(None, size, summed.hexdigest())
            self._output.read(1)
        return content

    def _ask(self, blob: str) -> int:
        try:
            self._wanted.write(f"{blob}\n".encode())
            self._wanted.flush()
            answered = self._output.readline().split()
        except OSError as cause:
            raise GitFailedError("cat-file", str(cause)) from cause
        if len(answered) != 3 or answered[1] != b"blob":
            raise GitFailedError("cat-file", f"no blob {blob}: run git fsck")
        return int(answered[2])

    def _chunks(self, size: int) -> Iterator[bytes]:
        while size:
            chunk = self._output.read(min(size, _CHUNK_BYTES))
            if not chunk:
                raise GitFailedError("cat-file", "it ended inside a blob: run git fsck")
            yield chunk
            size -= len(chunk)


@contextmanager
def contents(path: Path, *, text_bytes_max: int) -> Generator[Contents, None, None]:
    """The blobs of a repository, as long as the block runs."""
    with running(path, "cat-file", "--batch") as (wanted, output):
        yield Contents(wanted, output, text_bytes_max=text_bytes_max)


def _text(content: bytes) -> str | None:
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
