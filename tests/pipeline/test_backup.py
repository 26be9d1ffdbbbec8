"""Lines of a backup carry stored bytes as they are, and strange lines are refused."""

from __future__ import annotations

import pytest

from docreactor.pipeline.accepted import Accepted
from docreactor.pipeline.backup import (
    FORMAT,
    KIND,
    AcceptedLine,
    ErasedLine,
    Header,
    OperationLine,
    accepted_line,
    erased_line,
    header_line,
    operation_line,
    read_header,
    read_line,
)
from docreactor.pipeline.erased import Erased
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.keys import Stream

HEADER = Header(
    kind=KIND,
    format=FORMAT,
    app="shop",
    log_id="0" * 32,
    partitions=8,
    models={"example/todo": 2},
    operations=3,
    erased=1,
    accepted=2,
    exported_at="2026-01-02T03:04:05.000006Z",
)


def test_an_operation_comes_back_byte_by_byte() -> None:
    stored = b'{"a":1.50,"b":"\\u00e9 \xc3\xa9","c":  null}'

    line = read_line(operation_line(Stream("d", "global", "main"), stored))

    assert isinstance(line, OperationLine)
    assert line.stream == Stream("d", "global", "main")
    assert line.content == stored


def test_an_erased_document_comes_back() -> None:
    line = read_line(erased_line(Erased("d", "2026-01-02T03:04:05.000006Z")))

    assert isinstance(line, ErasedLine)
    assert line.erased == Erased("d", "2026-01-02T03:04:05.000006Z")


def test_an_accepted_document_comes_back() -> None:
    accepted = Accepted("d", "2026-01-02T03:04:05.000006Z", {"global/main": 4})

    line = read_line(accepted_line(accepted))

    assert isinstance(line, AcceptedLine)
    assert line.accepted == accepted


def test_a_header_counts_what_follows() -> None:
    assert HEADER.records == 6


def test_a_header_comes_back() -> None:
    assert read_header(header_line(HEADER)) == HEADER


def test_every_line_ends_with_the_one_new_line_in_it() -> None:
    lines = [header_line(HEADER), operation_line(Stream("d", "s", "b"), b"{}")]

    assert all(line.index(b"\n") == len(line) - 1 for line in lines)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"kind":"operation"}', b"\xff", b"not"])
def test_what_is_no_header_is_refused(content: bytes) -> None:
    with pytest.raises(UndecodableRecordError, match="not the header"):
        read_header(content)


def test_a_later_format_is_refused_whatever_else_it_says() -> None:
    with pytest.raises(UndecodableRecordError, match="version 2 is unknown"):
        read_header(b'{"kind":"docreactor-backup","format":2,"new":true}')


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"kind":"other"}', b'{"kind":"erased","document_id":"d"}']
)
def test_a_line_of_no_known_kind_is_refused(content: bytes) -> None:
    with pytest.raises(UndecodableRecordError):
        read_line(content)
