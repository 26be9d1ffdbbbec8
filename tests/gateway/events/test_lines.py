"""The lines of a stream of server-sent events."""

from __future__ import annotations

import pytest

from docreactor.gateway.events.lines import Block, Lines, block


def read(content: bytes, pieces: int = 1_000) -> list[Block]:
    lines, found = Lines(), list[Block]()
    for start in range(0, len(content), pieces):
        found += lines.take(content[start : start + pieces])
    return found


def test_a_block_ends_with_an_empty_line() -> None:
    written = block(comment="live", retry_ms=1_000, event="a", id="7", data=b"{}")

    assert written == b": live\nretry: 1000\nevent: a\nid: 7\ndata: {}\n\n"


@pytest.mark.parametrize("pieces", [1, 2, 3, 7, 1_000])
def test_what_was_written_is_read_back_in_whatever_pieces_it_comes(pieces: int) -> None:
    data = '{"text": "Ä\u2028 b\x0b c"}'
    content = block(comment="live", id="1", retry_ms=5) + block(
        event="document.created", id="2", data=data.encode()
    )

    assert read(content, pieces) == [
        Block(comment="live", id="1", retry_ms=5),
        Block(event="document.created", id="2", data=data),
    ]


@pytest.mark.parametrize("pieces", [1, 2, 1_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_the_standard_has_it(end: bytes, pieces: int) -> None:
    content = end.join([b":", b"data:one", b"data: two", b"what: ever", b"", b"", b": next", b""])

    # A CR at the very end may be half of one.
    content += end + b"x"

    assert read(content, pieces) == [Block(comment="", data="one\ntwo"), Block(comment="next")]


def test_a_block_that_is_not_ended_is_not_given_out() -> None:
    assert read(b"data: {}\n") == []


def test_a_line_with_something_unknown_is_passed_over() -> None:
    assert read(b"retry: soon\nid\nmood: good\ndata\n\n") == [Block(id="", data="")]
