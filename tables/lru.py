"""A bounded mapping that lets go of what was used least recently."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lru(Generic[K, V]):
    """Holds `count_max` entries. Getting and putting are uses; iterating is not."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, now the most recently used."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep the value as the most recently used; the least recently used may have to go."""
        entries = self._entries
        entries[key] = value
        entries.move_to_end(key)
        if len(entries) > self._count_max:
            entries.popitem(last=False)

    def remove(self, key: K) -> bool:
        """Whether there was such an entry."""
        return self._entries.pop(key, None) is not None

    def remove_where(self, wanted: Callable[[K], bool]) -> int:
        """Remove every entry whose key is wanted; returns how many."""
        keys = [key for key in self._entries if wanted(key)]
        for key in keys:
            del self._entries[key]
        return len(keys)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """Keys, the least recently used first."""
        return iter(self._entries)
