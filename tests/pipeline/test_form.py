"""How the states of one scope are made, read, written and checked."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.errors import (
    InvalidInputError,
    InvalidModelError,
    InvalidStateError,
    UndecodableRecordError,
)
from docreactor.pipeline.form import ClassForm, JsonForm, form_of
from docreactor.pipeline.frozen import FrozenDict, FrozenList
from docreactor.pipeline.state import State, is_plain
from tests.pipeline.test_frozen import JSON_VALUES

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**64 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(State):
    z: str = ""
    a: tuple[int, ...] = ()


class Plain(State):
    text: str = ""
    number: int = 0
    ratio: float = 0.0
    flag: bool | None = None
    colour: Colour = Colour.RED
    part: Part = Part()
    parts: list[Part] = Field(default=[])
    named: dict[str, Part | None] = Field(default={})
    extra: Any = None


class Dated(State):
    day: date = date(2026, 1, 1)
    moment: datetime = datetime(2026, 1, 1)
    span: timedelta = timedelta()
    amount: Decimal = Decimal(0)
    id: UUID = UUID(int=0)
    inside: tuple[date, ...] = ()


PARTS = st.builds(Part, z=TEXT, a=st.lists(NUMBERS, max_size=3).map(tuple))
PLAIN = st.builds(
    Plain,
    text=TEXT,
    number=NUMBERS,
    ratio=FLOATS,
    flag=st.none() | st.booleans(),
    colour=st.sampled_from(Colour),
    part=PARTS,
    parts=st.lists(PARTS, max_size=3),
    named=st.dictionaries(st.text(max_size=3), st.none() | PARTS, max_size=3),
    extra=JSON_VALUES,
)
DATED = st.builds(
    Dated,
    day=st.dates(),
    moment=st.datetimes(),
    span=st.timedeltas(timedelta(-10_000), timedelta(10_000)),
    amount=st.decimals(allow_nan=False, allow_infinity=False),
    id=st.uuids(),
    inside=st.lists(st.dates(), max_size=2).map(tuple),
)


@given(PLAIN)
def test_the_quick_way_of_writing_gives_the_bytes_of_the_general_one(state: Plain) -> None:
    assert is_plain(Plain)
    assert ClassForm(Plain).write(state) == encode(state.model_dump(mode="json"))


@given(PLAIN)
def test_a_state_that_was_written_is_read_back_the_same(state: Plain) -> None:
    form = ClassForm(Plain)
    content = form.write(state)

    back = form.read(content)

    assert back == state
    assert form.write(back) == content
    assert list(back.named) == list(state.named)
    assert type(back.extra) is type(state.extra)


@given(DATED)
def test_dates_and_their_like_are_read_back_the_same_too(state: Dated) -> None:
    form = ClassForm(Dated)

    assert not is_plain(Dated)
    assert form.read(form.write(state)) == state


@given(st.dictionaries(TEXT, JSON_VALUES))
def test_free_json_is_read_back_the_same_frozen_and_in_order(value: dict[str, Any]) -> None:
    form = JsonForm()
    state = form.accept(value, "SET")

    back = form.read(form.write(state))

    assert (back, list(back)) == (state, list(state))
    assert form.write(back) == encode(value)


def test_every_field_needs_a_default_that_fits() -> None:
    class Without(State):
        text: str

    class Wrong(State):
        part: Part = Field(default={"z": 1})  # type: ignore[assignment]  # that is the point

    with pytest.raises(InvalidModelError, match=r"Without.text has no default: a document starts"):
        form_of(Without, "t")
    with pytest.raises(InvalidModelError, match=r"default of Wrong.part.z: Input should be"):
        form_of(Wrong, "t")


class Unknown(State):
    part: Nowhere | None = None  # type: ignore[name-defined]  # noqa: F821  that is the point


@pytest.mark.parametrize("kind", [int, State, list, {}, None])
def test_a_state_is_a_class_of_ours_or_dict(kind: Any) -> None:
    with pytest.raises(InvalidModelError, match="must be dict or a class derived"):
        form_of(kind, "example/x")


def test_a_class_that_names_an_unknown_one_is_refused_by_that_name() -> None:
    with pytest.raises(InvalidModelError, match="Unknown: Nowhere is not defined: define it"):
        form_of(Unknown, "t")


@pytest.mark.parametrize(
    ("form", "content", "field", "reason"),
    [
        (ClassForm(Plain), {"part": {"a": ["x"]}}, "initial.part.a.0", "valid integer"),
        (ClassForm(Plain), {"colours": []}, "initial.colours", "Extra inputs"),
        (ClassForm(Plain), [], "initial", "should be an object"),
        (ClassForm(Plain), {"text": {1}}, "initial", "is not JSON"),
        (JsonForm(), [], "initial", "must be an object"),
        (JsonForm(), {"a": float("nan")}, "initial", "not a JSON number"),
    ],
)
def test_what_a_creator_gives_is_refused_by_field_and_reason(
    form: ClassForm | JsonForm, content: Any, field: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason) as refused:
        form.given(content, "initial")

    assert refused.value.facts["field"] == field


def test_what_a_creator_gives_is_completed_by_the_defaults() -> None:
    assert ClassForm(Plain).given({"part": {"z": "z"}}, "initial") == Plain(part=Part(z="z"))
    given_state = JsonForm().given({"a": [1]}, "initial")
    assert type(given_state) is FrozenDict
    assert type(given_state["a"]) is FrozenList


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (ClassForm(Plain), b"{"),
        (ClassForm(Plain), b'{"number":"x"}'),
        (ClassForm(Plain), b'{"unknown":1}'),
        (JsonForm(), b"{"),
        (JsonForm(), b"[]"),
    ],
)
def test_bytes_that_are_no_state_have_their_own_error(
    form: ClassForm | JsonForm, content: bytes
) -> None:
    with pytest.raises(UndecodableRecordError):
        form.read(content)


@pytest.mark.parametrize(
    ("form", "result", "message"),
    [
        (ClassForm(Plain), None, "ADD: returned None: return the new state, a Plain"),
        (ClassForm(Plain), {"text": ""}, "ADD: returned a dict: return a Plain"),
        (ClassForm(Plain), Part(), "ADD: returned a Part: return a Plain"),
        (JsonForm(), None, "ADD: returned None: return the new state, a dict"),
        (JsonForm(), [], "ADD: returned a list: return a dict"),
        (JsonForm(), {"a": {1}}, "ADD: set is not JSON"),
    ],
)
def test_a_result_that_is_no_state_says_what_to_return(
    form: ClassForm | JsonForm, result: Any, message: str
) -> None:
    with pytest.raises(InvalidStateError, match=message):
        form.accept(result, "ADD")


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800"])
def test_what_json_cannot_say_is_refused_where_it_is_written(value: Any) -> None:
    with pytest.raises(InvalidStateError, match="is not JSON"):
        JsonForm().write(JsonForm().accept({"a": value}, "ADD"))
    with pytest.raises(InvalidStateError, match="is not JSON"):
        ClassForm(Plain).write(Plain(extra=value))


def test_the_schema_is_the_one_of_its_states() -> None:
    assert ClassForm(Part).schema()["properties"].keys() == {"a", "z"}
    assert JsonForm().schema() == {"type": "object"}
    assert decode(encode(ClassForm(Plain).schema()))
