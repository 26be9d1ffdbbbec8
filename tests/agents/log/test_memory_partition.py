"""One partition in memory keeps Kafka's rules of offsets and of what is seen."""

from __future__ import annotations

import pytest

from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.log.memory_partition import MemoryBatch, MemoryPartition, Outcome
from docreactor.pipeline.errors import OffsetOutOfRangeError
from docreactor.pipeline.position import Offset

NAME = TopicPartition("a", 0)


def append(partition: MemoryPartition, *keys: str, batch: MemoryBatch | None = None) -> int:
    """Each key's value is its own name; an upper-case one is a tombstone."""
    entries = [Entry(k.lower().encode(), None if k.isupper() else k.encode()) for k in keys]
    return partition.append(entries, batch, timestamp=0)


def end(partition: MemoryPartition, batch: MemoryBatch, outcome: Outcome) -> None:
    batch.outcome = outcome
    partition.mark(batch)


def seen(
    partition: MemoryPartition,
    offset: int = 0,
    *,
    count_max: int = 100,
    isolation: Isolation = Isolation.COMMITTED,
) -> tuple[list[int], int]:
    records, position = partition.read(Offset(offset), count_max=count_max, isolation=isolation)
    return [record.offset for record in records], position


def test_a_marker_takes_an_offset() -> None:
    partition, batch = MemoryPartition(NAME), MemoryBatch()
    append(partition, *"abcdefghijkl", batch=batch)
    end(partition, batch, Outcome.COMMITTED)

    assert seen(partition) == (list(range(12)), 13)
    assert seen(partition, 12) == ([], 13)


def test_nothing_is_seen_from_the_first_open_transaction_on() -> None:
    partition, first, second = MemoryPartition(NAME), MemoryBatch(), MemoryBatch()
    append(partition, "a")
    append(partition, "b", batch=first)
    append(partition, "c", batch=second)
    end(partition, second, Outcome.COMMITTED)
    append(partition, "d")

    assert partition.visible_end(Isolation.COMMITTED) == 1
    assert seen(partition) == ([0], 1)
    assert seen(partition, isolation=Isolation.UNCOMMITTED) == ([0, 1, 2, 4], 5)
    end(partition, first, Outcome.ABORTED)
    assert seen(partition) == ([0, 2, 4], 6)
    assert seen(partition, isolation=Isolation.UNCOMMITTED) == ([0, 1, 2, 4], 6)


def test_a_bounded_read_stops_behind_its_last_record() -> None:
    partition, batch = MemoryPartition(NAME), MemoryBatch()
    append(partition, "a", "b", batch=batch)
    end(partition, batch, Outcome.ABORTED)
    append(partition, "c", "d")

    assert seen(partition, count_max=1) == ([3], 4)
    assert seen(partition, count_max=2) == ([3, 4], 5)


def test_compaction_keeps_the_newest_of_every_key_below_the_stable_end() -> None:
    partition, batch, aborted = MemoryPartition(NAME), MemoryBatch(), MemoryBatch()
    append(partition, "a", "b", "a")
    append(partition, "b", batch=aborted)
    end(partition, aborted, Outcome.ABORTED)
    append(partition, "c", batch=batch)
    append(partition, "a")

    partition.compact(with_tombstones=False)

    assert seen(partition, isolation=Isolation.UNCOMMITTED) == ([1, 2, 5, 6], 7)
    assert partition.end == 7


def test_tombstones_go_when_they_are_told_to() -> None:
    partition = MemoryPartition(NAME)
    append(partition, "a", "b", "A")
    partition.compact(with_tombstones=False)
    assert seen(partition) == ([1, 2], 3)

    partition.compact(with_tombstones=True)

    assert seen(partition) == ([1], 3)
    assert seen(partition, 2) == ([], 3)


def test_deleted_offsets_cannot_be_read() -> None:
    partition = MemoryPartition(NAME)
    append(partition, "a", "b", "c")
    partition.truncate(Offset(2))

    assert partition.start == 2
    assert seen(partition, 2) == ([2], 3)
    for offset in (1, 4):
        with pytest.raises(OffsetOutOfRangeError, match=f"a-0 does not hold offset {offset}"):
            seen(partition, offset)


@pytest.mark.parametrize("outcome", [Outcome.COMMITTED, Outcome.ABORTED])
def test_a_marker_ends_whatever_its_owner_has_open(outcome: Outcome) -> None:
    partition = MemoryPartition(NAME)
    lost, next_one = MemoryBatch("owner"), MemoryBatch("owner")
    append(partition, "a", batch=lost)
    append(partition, "b", batch=next_one)
    append(partition, "c", batch=MemoryBatch("somebody else"))
    end(partition, next_one, outcome)

    assert seen(partition) == ([0, 1] if outcome is Outcome.COMMITTED else [], 2)
