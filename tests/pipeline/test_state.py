"""What a document shows: a value that never changes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from time import process_time
from typing import Annotated, Any, Self

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    computed_field,
    field_serializer,
    model_validator,
)

from docreactor.pipeline.errors import InvalidModelError, InvalidStateError
from docreactor.pipeline.frozen import FrozenDict, FrozenList
from docreactor.pipeline.state import State, is_plain


class Item(State):
    text: str
    tags: list[str] = Field(default=[])


class Todo(State):
    title: str = "untitled"
    count: Annotated[int, Field(ge=0, le=9)] = 0
    items: tuple[Item, ...] = ()
    notes: dict[str, list[str]] = Field(default={})
    extra: Any = None
    parent: Todo | None = None


class Range(State):
    low: int = 0
    high: int = 0

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is over high")
        return self


class Outer(State):
    inner: Inner | None = None


class Inner(State):
    items: list[int] = Field(default=[])


FULL = Todo(
    items=(Item(text="a", tags=["x"]),),
    notes={"monday": ["early"]},
    extra={"deep": [{"er": []}]},
)

MISBEHAVIOUR: list[Callable[[Any], object]] = [
    lambda state: setattr(state, "title", "changed"),
    lambda state: delattr(state, "title"),
    lambda state: setattr(state.items[0], "text", "changed"),
    lambda state: state.items[0].tags.append("changed"),
    lambda state: state.items[0].tags.__iadd__(["changed"]),
    lambda state: state.notes["monday"].append("changed"),
    lambda state: state.notes.update(monday=[]),
    lambda state: state.notes.__setitem__("monday", []),
    lambda state: state.extra["deep"][0]["er"].append("changed"),
    lambda state: state.extra["deep"][0].__ior__({"er": 1}),
    lambda state: state.extra.pop("deep"),
]


@pytest.mark.parametrize("change", MISBEHAVIOUR)
def test_nobody_can_change_a_state_from_outside(change: Callable[[Any], object]) -> None:
    before = FULL.model_dump_json()

    with pytest.raises((TypeError, ValidationError)):
        change(FULL)

    assert FULL.model_dump_json() == before


def test_the_list_that_a_state_was_made_of_is_not_the_states() -> None:
    tags = ["x"]
    item = Item(text="a", tags=tags)

    tags.append("y")

    assert item.tags == ["x"]


def test_defaults_are_frozen_and_validated_like_everything_else() -> None:
    class Wrong(State):
        count: int = "many"  # type: ignore[assignment]  # that is the point

    assert type(Todo().notes) is FrozenDict
    with pytest.raises(ValidationError, match="count"):
        Wrong()


def test_replace_gives_a_new_value_that_shares_the_rest() -> None:
    new = FULL.replace(title="new", notes={"b": [], "a": []})

    assert (FULL.title, new.title) == ("untitled", "new")
    assert new.items is FULL.items
    assert new.extra is FULL.extra
    assert list(new.notes) == ["a", "b"]
    assert type(new.notes["a"]) is FrozenList
    assert new == Todo(**{**dict(FULL), "title": "new", "notes": {"a": [], "b": []}})


def test_replace_accepts_what_the_constructor_accepts() -> None:
    assert Todo().replace(count="7") == Todo(count=7)
    assert Todo().replace(parent={"title": "p"}).parent == Todo(title="p")
    assert Todo().replace(parent=FULL).parent is FULL


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 10}, "Todo.count: Input should be less than or equal to 9"),
        ({"items": ({},)}, "Todo.items.0.text: Field required"),
        ({"colour": 1}, "Todo.colour: no such field; it has title, count, items"),
        ({"extra": {1, 2}}, "Todo.extra: set is not JSON"),
    ],
)
def test_replace_names_the_field_and_what_is_wrong_with_it(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidStateError) as refused:
        FULL.replace(**changes)

    assert str(refused.value).startswith(message)
    assert "\n" not in str(refused.value)


def test_the_cost_of_replace_does_not_depend_on_what_stays() -> None:
    def seconds(state: Todo) -> float:
        def once() -> float:
            started = process_time()
            for count in range(1000):
                state.replace(count=count % 10)
            return process_time() - started

        return min(once() for _ in range(5))

    large = Todo(extra={str(key): [key] for key in range(50_000)}, title="x" * 1_000_000)

    assert seconds(large) < 5 * seconds(Todo())


def test_a_class_with_validators_of_its_own_is_validated_whole() -> None:
    assert Range(low=1, high=3).replace(low=2) == Range(low=2, high=3)
    with pytest.raises(InvalidStateError, match="low is over high"):
        Range(low=1, high=3).replace(low=4)


def test_no_way_of_pydantics_makes_a_state_that_was_not_validated() -> None:
    assert FULL.model_copy() is FULL
    assert FULL.model_copy(update={"count": "3"}).count == 3
    assert FULL.copy(update={"count": "3"}).count == 3
    with pytest.raises(InvalidStateError):
        FULL.model_copy(update={"count": "many"})
    with pytest.raises(ValidationError):
        Todo.model_construct(count="many")
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Todo.model_validate({"colour": 1})


def test_a_part_of_a_subclass_is_refused_because_it_could_not_be_read_back() -> None:
    class More(Item):
        more: int = 0

    with pytest.raises(ValidationError, match="more"):
        Todo(items=(More(text="a"),))
    with pytest.raises(InvalidStateError, match="more"):
        FULL.replace(items=(More(text="a"),))


def test_copies_are_the_state_itself_and_a_pickle_is_its_equal() -> None:
    assert copy.copy(FULL) is FULL
    assert copy.deepcopy(FULL) is FULL
    back = pickle.loads(pickle.dumps(FULL))
    assert back == FULL
    assert type(back.extra["deep"]) is FrozenList


def test_a_state_that_holds_only_plain_fields_is_plain_parts_included() -> None:
    class Dated(State):
        when: datetime | None = None

    class HoldsDated(State):
        parts: list[Dated] = Field(default=[])

    class Shouting(State):
        text: str = ""

        @field_serializer("text")
        def _shout(self, text: str) -> str:
            return text.upper()

    assert is_plain(Todo)
    assert not any(is_plain(kind) for kind in (Dated, HoldsDated, Shouting))


def test_a_class_may_name_one_that_is_defined_later() -> None:
    assert is_plain(Outer)
    inner = Outer.model_validate({"inner": {"items": [1]}}).inner
    assert inner is not None
    assert type(inner.items) is FrozenList


def _with_a_set() -> type:
    class Broken(State):
        items: set[str] = Field(default=set())

    return Broken


def _with_a_stranger() -> type:
    class Stranger(BaseModel):
        x: int = 0

    class Broken(State):
        items: list[Stranger] = Field(default=[])

    return Broken


def _with_a_private_attribute() -> type:
    class Broken(State):
        _secret: int = PrivateAttr(0)

    return Broken


def _with_an_alias() -> type:
    class Broken(State):
        text: str = Field("", alias="Text")

    return Broken


def _with_an_excluded_field() -> type:
    class Broken(State):
        text: str = Field("", exclude=True)

    return Broken


def _with_infinity() -> type:
    class Broken(State):
        number: float = Field(0.0, allow_inf_nan=True)

    return Broken


def _with_another_configuration() -> type:
    class Broken(State):
        model_config = ConfigDict(extra="allow")

    return Broken


def _with_a_hook() -> type:
    class Broken(State):
        def model_post_init(self, context: Any, /) -> None: ...

    return Broken


def _with_a_cached_property() -> type:
    class Broken(State):
        @cached_property
        def total(self) -> int:
            return 1

    return Broken


def _with_a_computed_field() -> type:
    class Broken(State):
        @computed_field
        def total(self) -> int:
            return 1

    return Broken


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (_with_a_set, "Broken.items: set cannot be stored or frozen; use tuple"),
        (_with_a_stranger, "Broken.items: Stranger .* derive Stranger from docreactor.State"),
        (_with_a_private_attribute, "no private attributes.*make _secret fields"),
        (_with_an_alias, "Broken.text: a state's field is stored, and by its own name"),
        (_with_an_excluded_field, "Broken.text: a state's field is stored"),
        (_with_infinity, "Broken.number: JSON has no NaN and no infinity, use None"),
        (_with_another_configuration, "leave frozen and extra as State sets them"),
        (_with_a_hook, "model_post_init is where a State freezes"),
        (_with_a_cached_property, "Broken.total: use a plain @property"),
        (_with_a_computed_field, "Broken.total: use a plain @property"),
    ],
)
def test_a_class_that_cannot_be_frozen_or_stored_is_refused_when_it_is_defined(
    define: Callable[[], type], message: str
) -> None:
    with pytest.raises(InvalidModelError, match=message):
        define()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_say_never_gets_into_a_state(number: float) -> None:
    class Measure(State):
        value: float = 0.0
        extra: Any = None

    with pytest.raises(InvalidStateError, match="finite number"):
        Measure().replace(value=number)
    with pytest.raises(InvalidStateError, match="not a JSON number"):
        Measure().replace(extra=[number])
    with pytest.raises(ValidationError):
        Measure(extra=[number])
