"""What a field of a state may hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import AfterValidator, BaseModel, Field, JsonValue, PlainSerializer

from docreactor.pipeline.frozen import FrozenDict, FrozenList
from docreactor.pipeline.shape import shape_of
from docreactor.pipeline.state import State


class Part(State):
    name: str = ""


class Stranger(BaseModel):
    name: str = ""


class Colour(StrEnum):
    RED = "red"


class Odd(Enum):
    THING = (1, 2)


def _frozen(annotation: Any, value: Any) -> Any:
    freezer = shape_of(annotation, (), State).freeze
    return value if freezer is None else freezer(value)


@pytest.mark.parametrize(
    "annotation",
    [
        str,
        int | None,
        Literal["a", 1],
        Colour,
        datetime,
        Part,
        tuple[str, ...],
        tuple[int, Part],
        tuple[tuple[str, ...], ...],
        Annotated[str, Field(min_length=1)],
    ],
)
def test_what_cannot_change_is_not_walked_through(annotation: Any) -> None:
    assert shape_of(annotation, (), State).freeze is None


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (list[int], [1]),
        (list, [[1]]),
        (dict[str, int], {"a": 1}),
        (dict, {"a": [1]}),
        (Any, {"a": [1]}),
        (JsonValue, [1]),
        (Optional[list[int]], [1]),  # noqa: UP045  both spellings are in use
        (Annotated[list[int], Field(min_length=1)], [1]),
        (list[dict[str, list[int]]], [{"a": [1]}]),
        (dict[str, Any] | list[int], [1]),
    ],
)
def test_lists_and_dicts_are_frozen_all_the_way_down(annotation: Any, value: Any) -> None:
    def check(frozen: Any) -> None:
        assert type(frozen) in (FrozenList, FrozenDict, int)
        for item in frozen.values() if isinstance(frozen, dict) else frozen or ():
            if isinstance(item, list | dict):
                check(item)

    frozen = _frozen(annotation, value)

    assert frozen == value
    check(frozen)


def test_a_tuple_stays_a_tuple_and_what_is_inside_is_frozen() -> None:
    assert _frozen(tuple[list[int], ...], ([1], [2])) == ([1], [2])
    assert type(_frozen(tuple[list[int], ...], ([1],))[0]) is FrozenList
    by_place = _frozen(tuple[int, list[int]], (1, [2]))
    assert [type(item) for item in by_place] == [int, FrozenList]
    assert type(_frozen(tuple, ([1],))[0]) is FrozenList


def test_the_value_itself_says_which_member_of_a_union_it_is() -> None:
    inside = Annotated[dict[str, Any] | str, Field()]
    annotation = Optional[list[tuple[int, ...]] | inside]  # noqa: UP045

    assert type(_frozen(annotation, [(1,)])) is FrozenList
    assert type(_frozen(annotation, [(1,)])[0]) is tuple
    assert type(_frozen(annotation, {"a": 1})) is FrozenDict
    assert _frozen(annotation, "a") == "a"
    assert _frozen(annotation, None) is None


def test_parts_of_the_state_are_kept_as_they_are() -> None:
    part = Part(name="a")

    assert _frozen(list[Part], [part])[0] is part
    assert _frozen(dict[str, Part], {"a": part})["a"] is part
    assert shape_of(dict[str, list[Part | None]], (), State).nested == {Part}


@pytest.mark.parametrize(
    ("annotation", "advice"),
    [
        (set[str], "use tuple"),
        (frozenset, "use tuple"),
        (bytes, "for example base64"),
        (dict[int, str], "text keys only"),
        (Sequence[str], "use None, bool, int, float, str, tuple, list"),
        (Stranger, "derive Stranger from docreactor.State"),
        (list[Stranger], "derive Stranger from docreactor.State"),
        (object(), "use None, bool"),
        (Odd, "text, numbers, booleans or None"),
        (list[int] | list[str], "names list twice"),
    ],
)
def test_what_cannot_be_stored_or_frozen_is_refused_with_what_to_use(
    annotation: Any, advice: str
) -> None:
    with pytest.raises(ValueError, match=advice):
        shape_of(annotation, (), State)


@pytest.mark.parametrize(
    ("annotation", "plain"),
    [
        (dict[str, list[Part]], True),
        (Colour, True),
        (Annotated[str, AfterValidator(str.strip)], True),
        (datetime, False),
        (list[datetime], False),
        (tuple[int, datetime | None], False),
        (Annotated[int, PlainSerializer(str)], False),
        (list[Annotated[int, PlainSerializer(str)]], False),
    ],
)
def test_a_field_is_plain_when_pydantic_would_write_what_orjson_writes(
    annotation: Any, plain: bool
) -> None:
    assert shape_of(annotation, (), State).plain is plain
