"""A value that travels through Kafka."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from docreactor.pipeline.errors import UndecodableRecordError, UnknownFormatError
from docreactor.pipeline.record import HEADERS, Record, check_format


class Point(Record):
    x: int
    y: tuple[int, ...] = ()


def test_a_record_never_changes_and_refuses_what_it_does_not_know() -> None:
    point = Point(x=1)

    with pytest.raises(ValidationError, match="frozen"):
        point.x = 2
    with pytest.raises(ValidationError, match="colour"):
        Point.model_validate({"x": 1, "colour": "red"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x":"one"}', "^x: Input should be a valid integer"),
        (b'{"x":1,"y":[1,"two"]}', r"^y\.1: Input should be"),
        (b"{}", "^x: Field required"),
        (b"{", "^Point: Invalid JSON"),
        (b"", "^Point: Invalid JSON"),
        (b"[]", "^Point: Input should be an object"),
    ],
)
def test_what_is_no_record_names_the_field_and_the_reason(content: bytes, message: str) -> None:
    assert Point.decode(b'{"x":1}') == Point(x=1)
    with pytest.raises(UndecodableRecordError, match=message):
        Point.decode(content)


def test_only_the_format_that_this_program_writes_is_read() -> None:
    check_format(HEADERS, "actions-0@7")
    check_format([("other", b"x"), *HEADERS], "actions-0@7")
    with pytest.raises(UnknownFormatError, match="actions-0@7: format version 2 is unknown"):
        check_format([("v", b"2")], "actions-0@7")
    with pytest.raises(UnknownFormatError, match="format version .none. is unknown"):
        check_format([], "actions-0@7")
