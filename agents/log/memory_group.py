"""Who of a group's members reads which partitions, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from docreactor.agents.log import TopicPartition


class Joining(Protocol):
    """A member as its group sees it."""

    @property
    def topics(self) -> Sequence[str]: ...


class MemoryGroup:
    """Every change of members begins a generation: all let go, all join, then all are assigned.

    A generation waits for every member, so one that never fetches must be made to leave.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._members: list[Joining] = []
        self._joined: list[Joining] = []

    @property
    def has_members(self) -> bool:
        return bool(self._members)

    def enter(self, member: Joining) -> None:
        """Begin the generation in which it takes part."""
        self._members.append(member)
        self._begin()

    def leave(self, member: Joining) -> None:
        """Begin the generation without it. Nothing happens when it has left."""
        if member in self._members:
            self._members.remove(member)
            self._begin()

    def join(self, member: Joining) -> None:
        """It has let go of what it had."""
        if member not in self._joined:
            self._joined.append(member)

    def assignment(
        self, member: Joining, partition_counts: Mapping[str, int]
    ) -> frozenset[TopicPartition] | None:
        """What the member reads in this generation; None until all have joined."""
        if len(self._joined) < len(self._members):
            return None
        return frozenset(
            TopicPartition(topic, partition)
            for topic in member.topics
            for partition in self._range(member, partition_counts[topic])
        )

    def _begin(self) -> None:
        self.generation += 1
        self._joined.clear()

    def _range(self, member: Joining, count: int) -> range:
        """Consecutive partitions, one more for the first members, as Kafka's range assignor."""
        index, members = self._members.index(member), len(self._members)
        each, more = divmod(count, members)
        first = index * each + min(index, more)
        return range(first, first + each + (index < more))
