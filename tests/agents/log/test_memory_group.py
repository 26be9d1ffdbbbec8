"""A group in memory divides partitions as Kafka's range assignor does."""

from __future__ import annotations

from collections.abc import Sequence

from docreactor.agents.log import TopicPartition
from docreactor.agents.log.memory_group import MemoryGroup

COUNTS = {"a": 8, "b": 8}


class Reading:
    """A member that reads both topics."""

    topics: Sequence[str] = ("a", "b")


def join_all(group: MemoryGroup, members: Sequence[Reading]) -> None:
    for member in members:
        group.join(member)


def test_partitions_are_shared_in_ranges_over_every_topic() -> None:
    group, members = MemoryGroup(), [Reading() for _ in range(3)]
    for member in members:
        group.enter(member)
    join_all(group, members)

    shares = [group.assignment(member, COUNTS) for member in members]

    assert shares == [
        frozenset(TopicPartition(topic, number) for topic in "ab" for number in numbers)
        for numbers in (range(3), range(3, 6), range(6, 8))
    ]


def test_nothing_is_assigned_before_all_have_let_go() -> None:
    group, members = MemoryGroup(), [Reading(), Reading()]
    for member in members:
        group.enter(member)
    group.join(members[0])
    assert group.assignment(members[0], COUNTS) is None

    group.join(members[1])

    assert len(group.assignment(members[0], COUNTS) or ()) == 8


def test_every_change_begins_a_generation() -> None:
    group, one, two = MemoryGroup(), Reading(), Reading()
    group.enter(one)
    join_all(group, [one])
    before = group.generation
    group.enter(two)
    assert group.generation == before + 1
    assert group.assignment(one, COUNTS) is None

    group.leave(two)
    group.leave(two)

    assert group.generation == before + 2
    group.join(one)
    assert len(group.assignment(one, COUNTS) or ()) == 16
    group.leave(one)
    assert not group.has_members


def test_more_members_than_partitions_leave_some_without() -> None:
    group, members = MemoryGroup(), [Reading() for _ in range(10)]
    for member in members:
        group.enter(member)
    join_all(group, members)

    sizes = [len(group.assignment(member, COUNTS) or ()) for member in members]

    assert sizes == [2] * 8 + [0] * 2
