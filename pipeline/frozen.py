"""JSON that nobody can change: lists and dicts whose mutators refuse."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, NoReturn, cast

DEPTH_MAX = 100
"""Levels of nesting: below what orjson writes and what Python's stack holds, on every machine."""


def _refusal(what: str, example: str) -> Any:
    """A method that takes anything and refuses."""

    def refuse(_self: object, *_args: object, **_options: object) -> NoReturn:
        raise TypeError(
            f"this {what} is part of a state, which never changes: "
            f"return a new value instead, for example {example}"
        )

    return refuse


_LIST_REFUSES: Any = _refusal("list", "[*items, item]")
_DICT_REFUSES: Any = _refusal("dict", "{**state, 'key': value}")


class FrozenList(list[Any]):
    """A JSON array inside a state. Every reading method of `list` works; copies are plain lists.

    Its mutators raise TypeError. Only Python's own back doors (`list.append(frozen, item)`,
    `heapq.heappush`) can still change it: make a plain list first, `[*frozen]`.
    """

    __slots__ = ()

    append = extend = insert = remove = pop = clear = sort = reverse = _LIST_REFUSES
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _LIST_REFUSES

    def __copy__(self) -> list[Any]:
        return list(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [thaw(item) for item in self]

    def __reduce__(self) -> tuple[Callable[[list[Any]], Any], tuple[list[Any]]]:
        return FrozenList, (list(self),)


class FrozenDict(dict[str, Any]):
    """A JSON object inside a state, its keys in order. Copies are plain dicts.

    Its mutators raise TypeError. Only Python's own back doors (`dict.update(frozen, …)`) can still
    change it: make a plain dict first, `{**frozen}`.
    """

    __slots__ = ()

    update = setdefault = pop = popitem = clear = _DICT_REFUSES
    __setitem__ = __delitem__ = __ior__ = _DICT_REFUSES

    def __copy__(self) -> dict[str, Any]:
        return dict(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {key: thaw(item) for key, item in self.items()}

    def __reduce__(self) -> tuple[Callable[[dict[str, Any]], Any], tuple[dict[str, Any]]]:
        return FrozenDict, (dict(self),)


_SHARED = frozenset({str, int, bool, type(None), FrozenList, FrozenDict})
"""Types whose values are taken as they are."""


def freeze(value: Any, depth: int = 0) -> Any:
    """The same JSON value, unchangeable; what is frozen already is shared, not copied.

    Tuples become lists and keys are put in order, so that a value that was just made behaves like
    one that was read back. Raises ValueError for what is not JSON.
    """
    kind: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] any JSON
    if kind in _SHARED:
        return value
    if kind is float:
        if not isfinite(value):
            raise ValueError(f"{value} is not a JSON number: use None, or a finite number")
        return value
    if depth >= DEPTH_MAX and isinstance(value, dict | list | tuple):
        raise ValueError(f"nested over {DEPTH_MAX} levels: make it flatter")
    if kind is dict:
        return frozen_dict(value, lambda item: freeze(item, depth + 1))
    if kind is list or kind is tuple:
        return frozen_list(value, lambda item: freeze(item, depth + 1))
    return _plain(value, depth)


def frozen_list(
    items: list[Any] | tuple[Any, ...], freeze_item: Callable[[Any], Any]
) -> FrozenList:
    """A FrozenList of the items, each frozen where it is not yet."""
    if not {*map(type, items)} <= _SHARED:
        return FrozenList([item if type(item) in _SHARED else freeze_item(item) for item in items])
    return FrozenList(items)


def frozen_dict(items: dict[str, Any], freeze_item: Callable[[Any], Any]) -> FrozenDict:
    """A FrozenDict of the items with its keys in order, each item frozen where it is not yet."""
    if not {*map(type, items)} <= {str}:
        items = {_key(key): item for key, item in items.items()}
    if not {*map(type, items.values())} <= _SHARED:
        items = {
            key: item if type(item) in _SHARED else freeze_item(item) for key, item in items.items()
        }
    return in_order(items)


def in_order(items: dict[str, Any]) -> FrozenDict:
    """A FrozenDict of items that cannot change, its keys in order."""
    keys = list(items)
    if (ordered := sorted(keys)) != keys:
        return FrozenDict({key: items[key] for key in ordered})
    return FrozenDict(items)


def thaw(value: Any) -> Any:
    """A plain copy that may be changed: lists and dicts all the way down."""
    if isinstance(value, FrozenDict):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, FrozenList):
        return [thaw(item) for item in value]
    return value


def _key(key: object) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise ValueError(f"key {key!r} is not text: JSON objects have text keys only")


def _plain(value: object, depth: int) -> Any:
    """What a subclass of a JSON type holds, without the subclass."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__pos__(value)
    if isinstance(value, float):
        return freeze(float.__pos__(value), depth)
    if isinstance(value, dict):
        return freeze({**cast(Any, value)}, depth)
    if isinstance(value, list | tuple):
        return freeze([*cast(Any, value)], depth)
    raise ValueError(f"{type(value).__name__} is not JSON: {_ADVICE.get(type(value), _OTHERWISE)}")


_ADVICE: dict[type, str] = {
    set: "use a sorted list, a set has no order",
    frozenset: "use a sorted list, a set has no order",
    bytes: "use text, for example base64",
}
_OTHERWISE = "use None, bool, int, float, str, list or dict"
