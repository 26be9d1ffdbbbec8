"""How far a subscriber is."""

from __future__ import annotations

import re

import pytest

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.notice import UPDATED, Notice
from docreactor.pipeline.errors import InvalidInputError, TokenOfAnotherLogError
from docreactor.pipeline.position import Offset, Position
from tests.support.nodes import LOG_ID

SOURCES = [TopicPartition(topic, at) for topic in ("operations", "edges") for at in range(2)]
FIRST, SECOND = SOURCES[0], SOURCES[1]


def cursor() -> Cursor:
    return Cursor.at(LOG_ID, {source: Offset(10 * at) for at, source in enumerate(SOURCES)})


def batch(start: int, *offsets: int, end: int) -> Batch:
    notices = [
        Notice(UPDATED, Offset(offset), ("d1",), "main", "todo", {"global"}, b"{}")
        for offset in offsets
    ]
    return Batch(FIRST, Offset(start), Offset(end), Position(LOG_ID, {}), notices)


def read(text: str) -> Cursor:
    return Cursor.parse(text, log_id=LOG_ID, sources=SOURCES)


def test_its_text_is_url_safe_and_read_back_as_it_was() -> None:
    one = cursor()
    one.tell(batch(0, 3, 4, end=6), 0)

    assert re.fullmatch(r"[A-Za-z0-9._~-]+", one.text)
    again = read(one.text)
    assert [again[source] for source in SOURCES] == [one[source] for source in SOURCES]
    assert again.text == one.text


def test_a_batch_that_was_told_in_part_is_read_again_from_its_begin() -> None:
    one, told = cursor(), batch(2, 3, 4, end=6)

    one.tell(told, 0)
    assert one[FIRST] == (2, 4)
    one.tell(told, 1)
    assert one[FIRST] == (6, 6)
    assert one[SECOND] == (10, 10)


def test_it_never_moves_back() -> None:
    one = cursor()

    one.pass_by(FIRST, Offset(8))
    one.pass_by(FIRST, Offset(7))
    one.tell(batch(2, 3, 4, end=6), 1)

    assert one[FIRST] == (8, 8)


def test_that_of_another_log_is_refused_by_name() -> None:
    with pytest.raises(TokenOfAnotherLogError):
        read("f" * 32 + ".1-2-3-4")


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", f"{LOG_ID}.", f"{LOG_ID}.1-2-3", f"{LOG_ID}.1-2-3-4-5", f"{LOG_ID}.1-2-3-x"]
    + [f"{LOG_ID}.1-2-3-4_", f"{LOG_ID}.1-2-3-9_4", f"{LOG_ID}.1-2-3-{'9' * 20}"],
)
def test_what_is_no_cursor_is_refused_with_the_field(text: str) -> None:
    with pytest.raises(InvalidInputError, match="Last-Event-ID"):
        read(text)
