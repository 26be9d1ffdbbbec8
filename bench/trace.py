"""What one person typed: every edit of a real paper, and the text that came of it."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from docreactor.pipeline.errors import BenchDataMissingError, UndecodableRecordError

DIRECTORY_VARIABLE = "DOCREACTOR_BENCH_DATA"
FILE = "automerge-paper.json.gz"

Patch = tuple[int, int, str]
"""Position, characters deleted there, text inserted there; in code points."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Edits in their order; each is a list of patches, applied one after the other."""

    edits: Sequence[Sequence[Patch]]
    end: str

    def head(self, count: int) -> Trace:
        """The first edits, with the text that they give."""
        edits = self.edits[:count]
        return Trace(edits, text_after(edits))


def read_trace() -> Trace:
    """The recorded paper. BenchDataMissing says where to get it."""
    directory = os.environ.get(DIRECTORY_VARIABLE)
    path = None if directory is None else Path(directory) / FILE
    if path is None or not path.is_file():
        raise BenchDataMissingError(DIRECTORY_VARIABLE, FILE, directory)
    recorded = orjson.loads(gzip.decompress(path.read_bytes()))
    if recorded["startContent"]:
        raise UndecodableRecordError(f"{path}: the text must begin empty")
    edits = [[(at, cut, new) for at, cut, new in step["patches"]] for step in recorded["txns"]]
    return Trace(edits, recorded["endContent"])


def text_after(edits: Iterable[Sequence[Patch]]) -> str:
    """The text that these edits give, replayed on a plain string."""
    return texts_at(edits, ())[None]


def texts_at(edits: Iterable[Sequence[Patch]], indexes: Sequence[int]) -> Mapping[int | None, str]:
    """The text after the edits of these indexes, and under None the last one."""
    wanted, texts, text = set(indexes), dict[int | None, str](), ""
    for index, text in enumerate(_texts(edits)):
        if index in wanted:
            texts[index] = text
    return {**texts, None: text}


def _texts(edits: Iterable[Sequence[Patch]]) -> Iterator[str]:
    text = ""
    for patches in edits:
        for at, cut, new in patches:
            text = text[:at] + new + text[at + cut :]
        yield text
