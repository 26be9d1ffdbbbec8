"""JSON that nobody can change."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.frozen import DEPTH_MAX, FrozenDict, FrozenList, freeze, thaw

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


def _order_of_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return [(key, _order_of_keys(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [_order_of_keys(item) for item in value]
    return type(value)


LIST_CHANGES: list[Callable[[Any], object]] = [
    lambda items: items.append(1),
    lambda items: items.extend([1]),
    lambda items: items.insert(0, 1),
    lambda items: items.remove(1),
    lambda items: items.pop(),
    lambda items: items.clear(),
    lambda items: items.sort(),
    lambda items: items.reverse(),
    lambda items: items.__setitem__(0, 2),
    lambda items: items.__setitem__(slice(0, 1), []),
    lambda items: items.__delitem__(0),
    lambda items: items.__iadd__([1]),
    lambda items: items.__imul__(2),
]
DICT_CHANGES: list[Callable[[Any], object]] = [
    lambda items: items.update(a=1),
    lambda items: items.setdefault("b", 1),
    lambda items: items.pop("a"),
    lambda items: items.popitem(),
    lambda items: items.clear(),
    lambda items: items.__setitem__("a", 2),
    lambda items: items.__delitem__("a"),
    lambda items: items.__ior__({"a": 2}),
]


@pytest.mark.parametrize("change", LIST_CHANGES)
def test_every_way_to_change_a_list_says_to_return_a_new_one(
    change: Callable[[Any], object],
) -> None:
    items = freeze([1])

    with pytest.raises(TypeError, match=r"return a new value instead, for example \[\*items"):
        change(items)

    assert items == [1]


@pytest.mark.parametrize("change", DICT_CHANGES)
def test_every_way_to_change_a_dict_says_to_return_a_new_one(
    change: Callable[[Any], object],
) -> None:
    items = freeze({"a": 1})

    with pytest.raises(TypeError, match=r"return a new value instead, for example \{\*\*state"):
        change(items)

    assert items == {"a": 1}


def test_no_mutator_of_python_s_own_is_forgotten() -> None:
    reading = {"copy", "count", "index", "fromkeys", "get", "items", "keys", "values"}
    for frozen, plain in ((FrozenList, list), (FrozenDict, dict)):
        methods = {name for name in vars(plain) if not name.startswith("_")}
        assert methods - reading == methods & vars(frozen).keys()


@given(JSON_VALUES)
def test_what_is_frozen_is_the_same_json_to_the_byte(value: Any) -> None:
    assert encode(freeze(value)) == encode(value)
    assert freeze(value) == value


@given(JSON_VALUES)
def test_a_value_just_made_is_like_one_read_back_its_order_of_keys_too(value: Any) -> None:
    made, read = freeze(value), freeze(decode(encode(value)))

    assert _order_of_keys(made) == _order_of_keys(read)


@given(JSON_VALUES)
def test_thaw_gives_plain_lists_and_dicts_all_the_way_down(value: Any) -> None:
    thawed = thaw(freeze(value))

    assert thawed == value
    assert freeze(thawed) == value
    assert type(thawed) in (dict, list, type(value))


def test_what_is_frozen_already_is_shared_and_not_copied() -> None:
    inner = freeze({"deep": [1, 2, {"er": []}]})

    assert freeze(inner) is inner
    assert freeze({"other": 1, "inner": inner})["inner"] is inner
    assert freeze([inner, 1])[0] is inner


def test_what_was_given_is_left_as_it_was() -> None:
    given_value = {"b": [1, {"c": []}], "a": 1}

    freeze(given_value)

    assert list(given_value) == ["b", "a"]
    assert type(given_value["b"]) is list


def test_a_copy_is_plain_and_may_be_changed() -> None:
    frozen = freeze({"items": [[1]]})

    copied, deep = copy.copy(frozen), copy.deepcopy(frozen)
    copied["more"] = 1
    deep["items"][0].append(2)

    assert frozen == {"items": [[1]]}
    assert type(frozen["items"][0].copy()) is list
    assert type(frozen | {}) is dict
    assert type(frozen["items"] + []) is list


def test_a_pickle_comes_back_frozen() -> None:
    back = pickle.loads(pickle.dumps(freeze({"items": [[1]]})))

    assert type(back) is FrozenDict
    assert type(back["items"][0]) is FrozenList


def test_tuples_become_lists_and_subclasses_their_plain_selves() -> None:
    frozen = freeze({Colour.RED: (Colour.RED, Size.SMALL)})

    assert frozen == {"red": ["red", 1]}
    assert [type(item) for item in frozen["red"]] == [str, int]
    assert type(next(iter(frozen))) is str


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "nan is not a JSON number"),
        ([1.0, float("inf")], "inf is not a JSON number"),
        ({"a": {1, 2}}, "set is not JSON: use a sorted list"),
        ([b"x"], "bytes is not JSON: use text"),
        ([object()], "object is not JSON: use None, bool, int"),
        ({1: "a"}, "key 1 is not text"),
    ],
)
def test_what_is_not_json_is_named_with_what_to_use(value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        freeze(value)


def test_nesting_is_bounded_so_that_every_machine_decides_alike() -> None:
    within: Any = []
    for _ in range(DEPTH_MAX - 1):
        within = [within]
    assert encode(freeze(within)) == encode(within)

    endless: list[Any] = []
    endless.append(endless)
    for value in ([within], endless):
        with pytest.raises(ValueError, match="nested over 100 levels"):
            freeze(value)
