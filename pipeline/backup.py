"""The lines of a backup file: its header, then operations as they are stored, and the rest."""

from __future__ import annotations

import msgspec

from docreactor.pipeline.accepted import Accepted
from docreactor.pipeline.erased import Erased
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.wire import Wire

FORMAT = 1
KIND = "docreactor-backup"

_encoder = msgspec.json.Encoder(order="sorted")


class Header(Wire, frozen=True):
    """The first line: where the file comes from, and how many lines follow.

    `models` holds the newest version of each document type that an operation was decided under.
    """

    kind: str
    format: int
    app: str
    log_id: str
    partitions: int
    models: dict[str, int]
    operations: int
    erased: int
    accepted: int
    exported_at: str

    @property
    def records(self) -> int:
        """How many lines follow."""
        return self.operations + self.erased + self.accepted


class OperationLine(Wire, frozen=True, tag_field="kind", tag="operation"):
    """An operation, byte by byte as it was stored, and its stream."""

    document_id: str
    scope: str
    branch: str
    operation: msgspec.Raw

    @property
    def stream(self) -> Stream:
        """Where it belongs."""
        return Stream(self.document_id, self.scope, self.branch)

    @property
    def content(self) -> bytes:
        """The stored bytes."""
        return bytes(self.operation)


class ErasedLine(Wire, frozen=True, tag_field="kind", tag="erased"):
    """A document that was erased."""

    document_id: str
    erased_at: str

    @property
    def erased(self) -> Erased:
        """The record that keeps its id from being used again."""
        return Erased(self.document_id, self.erased_at)


class AcceptedLine(Wire, frozen=True, tag_field="kind", tag="accepted"):
    """A document of which a person has accepted what it shows."""

    document_id: str
    accepted_at: str
    labels: dict[str, int]

    @property
    def accepted(self) -> Accepted:
        """The record that says so."""
        return Accepted(self.document_id, self.accepted_at, self.labels)


class _Told(msgspec.Struct, frozen=True):
    """What a header of any version says."""

    kind: str = ""
    format: int = 0


Line = OperationLine | ErasedLine | AcceptedLine

_headers: msgspec.json.Decoder[_Told] = msgspec.json.Decoder(_Told)
_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def operation_line(stream: Stream, content: bytes) -> bytes:
    """The line of a stored operation."""
    return _line(OperationLine(*stream, msgspec.Raw(content)))


def erased_line(erased: Erased) -> bytes:
    """The line of an erased document."""
    return _line(ErasedLine(erased.document_id, erased.erased_at))


def accepted_line(accepted: Accepted) -> bytes:
    """The line of a document that was accepted."""
    return _line(AcceptedLine(accepted.document_id, accepted.accepted_at, accepted.labels))


def header_line(header: Header) -> bytes:
    """The first line."""
    return _line(header)


def read_header(content: bytes) -> Header:
    """The inverse of `header_line`. UndecodableRecord for what is no such header, or too new."""
    try:
        told = _headers.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = _Told()
    if told.kind != KIND:
        raise UndecodableRecordError("this is not the header of a docreactor backup")
    if told.format != FORMAT:
        raise UndecodableRecordError(f"format version {told.format} is unknown: upgrade docreactor")
    return Header.decode(content)


def read_line(content: bytes) -> Line:
    """The inverse of the lines but the header's, or UndecodableRecord."""
    try:
        return _lines.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise UndecodableRecordError(str(cause)) from cause


def _line(value: Wire) -> bytes:
    return _encoder.encode(value) + b"\n"
