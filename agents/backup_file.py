"""Reads a backup file and checks every line of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple, cast

from docreactor.pipeline.accepted import accepted_key
from docreactor.pipeline.backup import (
    AcceptedLine,
    ErasedLine,
    Header,
    OperationLine,
    read_header,
    read_line,
)
from docreactor.pipeline.chain import BEGINNING, Link, follow
from docreactor.pipeline.erased import erased_key
from docreactor.pipeline.errors import InvalidBackupError, InvalidInputError, ReactorError
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.timestamp import parse

_UNREADABLE = (EOFError, gzip.BadGzipFile, zlib.error, OSError)


class Restored(NamedTuple):
    """A record of `operations` that a line stands for, and the document that it belongs to."""

    document_id: str
    key: bytes
    value: bytes


class BackupFile:
    """A backup. Whatever is wrong with it is InvalidBackup, which names the line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header = self._read_header()

    def records(self) -> Iterator[Restored]:
        """Every line's record in the file's order, each checked against those before it."""
        links: dict[Stream, Link] = {}
        begun: set[str] = set()
        erased: set[str] = set()
        number = operations = accepted = 0
        for number, content in self._lines():
            if number == 1:
                continue
            try:
                line = read_line(content)
                check_id(line.document_id, field="document_id")
                if line.document_id in erased:
                    raise InvalidInputError("document_id", "is of a document that was erased")
                if isinstance(line, ErasedLine):
                    if line.document_id in begun:
                        raise InvalidInputError("document_id", "has operations in this file")
                    parse(line.erased_at)
                    erased.add(line.document_id)
                    key, value = erased_key(line.document_id), line.erased.encode()
                elif isinstance(line, AcceptedLine):
                    accepted += 1
                    key, value = _accepted(line, links)
                else:
                    begun.add(line.document_id)
                    operations += 1
                    key, value = _operation(line, links)
            except ReactorError as cause:
                raise self._refusal(number, cause.message) from cause
            yield Restored(line.document_id, key, value)
        told = self.header
        found = operations, len(erased), accepted
        if found != (told.operations, told.erased, told.accepted):
            raise self._refusal(
                number + 1,
                f"the file ends after {operations} operations, {len(erased)} erased and "
                f"{accepted} accepted documents; its header says {told.operations}, "
                f"{told.erased} and {told.accepted}",
            )

    def _read_header(self) -> Header:
        with closing(self._lines()) as lines:
            _, first = next(lines, (1, b""))
        try:
            return read_header(first)
        except ReactorError as cause:
            raise self._refusal(1, cause.message) from cause

    def _lines(self) -> Generator[tuple[int, bytes]]:
        """The lines from 1 on."""
        number = 0
        try:
            with self._open() as file:
                for number, line in enumerate(file, 1):
                    yield number, line
        except _UNREADABLE as cause:
            raise self._refusal(number + 1, f"cannot be read: {cause}") from cause

    def _open(self) -> IO[bytes]:
        if self._path.suffix == ".gz":
            return cast(IO[bytes], gzip.open(self._path, "rb"))
        return self._path.open("rb")

    def _refusal(self, number: int, reason: str) -> InvalidBackupError:
        return InvalidBackupError(str(self._path), number, reason)


def _accepted(line: AcceptedLine, links: dict[Stream, Link]) -> tuple[bytes, bytes]:
    """Its key and bytes. InvalidInput unless every operation of it came before."""
    parse(line.accepted_at)
    accepted = line.accepted
    for place, label in accepted.labels.items():
        scope, slash, branch = place.partition("/")
        link = links.get(Stream(line.document_id, scope, branch), BEGINNING)
        if not slash or not 0 <= label < link.next_index:
            raise InvalidInputError("labels", f"{place} has {link.next_index} operations here")
    return accepted_key(line.document_id), accepted.encode()


def _operation(line: OperationLine, links: dict[Stream, Link]) -> tuple[bytes, bytes]:
    """Its key and bytes. InvalidInput unless it goes on where its stream stands."""
    stream, content = line.stream, line.content
    link = links.get(stream)
    if link is None:
        check_name(stream.scope, field="scope")
        check_name(stream.branch, field="branch")
        link = BEGINNING
    links[stream], _, findings = follow(link, stream, link.next_index, content)
    for finding in findings:
        raise InvalidInputError(
            f"{stream.prefix}{finding.index}", f"{finding.fault.value}, {finding.detail}"
        )
    return record_key(stream, link.next_index), content
