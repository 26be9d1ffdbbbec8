"""A backlog keeps order and knows when it has enough."""

from __future__ import annotations

from docreactor.agents.log.backlog import Backlog
from docreactor.agents.log.memory_partition import MemoryRecord


def records(count: int, *, size: int = 1) -> list[MemoryRecord]:
    return [MemoryRecord(offset, None, b"v" * size, (), 0, None) for offset in range(count)]


def test_the_oldest_are_handed_out_first() -> None:
    backlog = Backlog()
    backlog.add(records(5))

    assert [record.offset for record in backlog.take(2)] == [0, 1]
    assert [record.offset for record in backlog.take(9)] == [2, 3, 4]
    assert backlog.take(1) == []
    assert not backlog


def test_many_small_records_are_enough() -> None:
    backlog = Backlog()
    backlog.add(records(1_999))
    assert not backlog.enough
    backlog.add(records(1))

    assert backlog.enough
    backlog.take(1)
    assert not backlog.enough


def test_one_large_record_is_enough() -> None:
    backlog = Backlog()
    backlog.add(records(1, size=3 * 1024 * 1024))
    assert backlog.enough
    backlog.take(1)

    assert not backlog.enough


def test_nothing_is_left_of_a_cleared_backlog() -> None:
    backlog = Backlog()
    backlog.add(records(3_000))
    backlog.clear()

    assert len(backlog) == 0
    assert not backlog.enough
