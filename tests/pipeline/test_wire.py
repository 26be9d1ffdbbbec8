"""A value that travels through Kafka by the thousand."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.wire import Wire


class Point(Wire, frozen=True, gc=False):
    """Every kind of field that the records have."""

    x: int
    name: str = ""
    y: tuple[int, ...] = ()
    any: Any = None
    limit: int | None = None


class Line(Wire, frozen=True, gc=False, omit_defaults=True, tag_field="kind", tag="line"):
    """One that holds others, and says what it is."""

    ends: tuple[Point, ...]
    note: str | None = None


POINT = Point(1, "p", (2, 3), {"b": [None, 1.5, "é"], "a": None}, 4)


def test_a_value_comes_back_as_it_was_written() -> None:
    assert Point.decode(encode(POINT.json)) == POINT
    assert Line.decode(encode(Line((POINT,)).json)) == Line((POINT,))
    assert Point.decode(b' {"x": 1} ') == Point(1)


def test_its_json_names_every_field_that_is_not_left_out() -> None:
    assert POINT.json == {
        "x": 1,
        "name": "p",
        "y": (2, 3),
        "any": {"b": [None, 1.5, "é"], "a": None},
        "limit": 4,
    }
    assert Line(()).json == {"kind": "line", "ends": ()}


def test_a_value_never_changes() -> None:
    for name in ("x", "colour"):
        with pytest.raises(AttributeError):
            setattr(POINT, name, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x":1,"colour":"red"}', "^Point: Object contains unknown field `colour`"),
        (b'{"name":"p"}', "^Point: Object missing required field `x`"),
        (b'{"x":"1"}', r"^Point: Expected `int`, got `str` - at `\$\.x`"),
        (b'{"x":true}', r"^Point: Expected `int`, got `bool` - at `\$\.x`"),
        (b'{"x":1.5}', r"^Point: Expected `int`, got `float` - at `\$\.x`"),
        (b'{"x":null}', r"^Point: Expected `int`, got `null` - at `\$\.x`"),
        (b'{"x":1,"y":[1,"two"]}', r"^Point: Expected `int`, got `str` - at `\$\.y\[1\]`"),
        (b'{"x":1,"limit":"4"}', r"^Point: Expected `int \| null`, got `str` - at `\$\.limit`"),
        (b'{"x":1,"any":[NaN]}', "^Point: JSON is malformed: invalid character"),
        (b'{"x":1,"any":-Infinity}', "^Point: JSON is malformed: invalid "),
        (b'{"x":1,"any":[1e999]}', r"^Point: Number out of range - at `\$\.any\[0\]`"),
        (b'{"x":1,"any":-1e999}', r"^Point: Number out of range - at `\$\.any`"),
        (b'{"x":1,"any":%b}' % (b"9" * 5_000), "^Point: Integer value out of range"),
        (b'{"x":1,"any":%b%b}' % (b"[" * 5_000, b"]" * 5_000), "^Point: maximum recursion depth"),
        (b'{"x":1,"name":"\xff"}', "^Point: 'utf-8' codec can't decode byte 0xff"),
        (b'{"x":1,"any":{"\xed\xa0\x80":1}}', "^Point: 'utf-8' codec can't decode byte 0xed"),
        (b'{"x":1,"name":"\\ud800 alone"}', "^Point: JSON is malformed: .* surrogate"),
        (b'{"x":1,"any":["\\udc00 alone"]}', "^Point: JSON is malformed: .* surrogate"),
        (b'{"x":1,"any":{"\\ud800 alone":1}}', "^Point: JSON is malformed: .* surrogate"),
        (b'{"x":1,"name":"\x01"}', "^Point: JSON is malformed: invalid character"),
        (b'\xef\xbb\xbf{"x":1}', "^Point: JSON is malformed: invalid character"),
        (b'{"x":1}{}', "^Point: JSON is malformed: trailing characters"),
        (b'{"x":1', "^Point: Input data was truncated"),
        (b"", "^Point: Input data was truncated"),
        (b"[]", "^Point: Expected `object`, got `array`"),
        (b"null", "^Point: Expected `object`, got `null`"),
    ],
)
def test_what_is_no_such_value_says_what_is_wrong_with_it(content: bytes, message: str) -> None:
    with pytest.raises(UndecodableRecordError, match=message):
        Point.decode(content)


def test_what_says_that_it_is_something_else_is_refused() -> None:
    with pytest.raises(UndecodableRecordError, match=r"^Line: Invalid value 'arc' - at `\$\.kind`"):
        Line.decode(b'{"kind":"arc","ends":[]}')
    with pytest.raises(UndecodableRecordError, match=r"missing .* `x` - at `\$\.ends\[1\]`"):
        Line.decode(b'{"kind":"line","ends":[{"x":1},{}]}')


def test_each_class_is_read_as_itself() -> None:
    content = b'{"id":"a","type":"T","scope":"s"}'

    assert Action.decode(content) == Action(id="a", type="T", scope="s")
    with pytest.raises(UndecodableRecordError, match="^Point: "):
        Point.decode(content)
