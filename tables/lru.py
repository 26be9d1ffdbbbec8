"""A bounded mapping that lets go of what was used least recently."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Lru(Generic[K, V]):
    """Holds `count_max` entries. Getting and putting are uses; peeking and iterating are not.

    Each call but `clear` takes the same time however many entries there are.
    """

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, now the most recently used."""
        value = self._entries.get(key)
        if value is not None:
            self._entries.move_to_end(key)
        return value

    def peek(self, key: K) -> V | None:
        """The value, used as recently as before."""
        return self._entries.get(key)

    def touch(self, key: K) -> None:
        """Make the entry the most recently used, if there is one."""
        if key in self._entries:
            self._entries.move_to_end(key)

    def put(self, key: K, value: V) -> V | None:
        """Keep the value as the most recently used; returns the value that had to go, if any."""
        entries = self._entries
        entries[key] = value
        entries.move_to_end(key)
        if len(entries) > self._count_max:
            return self.evict()
        return None

    def evict(self) -> V | None:
        """Let go of the least recently used entry; returns its value."""
        if not self._entries:
            return None
        _, value = self._entries.popitem(last=False)
        return value

    def remove(self, key: K) -> V | None:
        """Let go of one entry; returns its value."""
        return self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """Keys, the least recently used first."""
        return iter(self._entries)
