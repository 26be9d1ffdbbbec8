"""Records are packed into batches, in order, and the largest travel alone."""

from __future__ import annotations

from docreactor.agents.log import Entry
from docreactor.agents.log.clients import new_producer
from docreactor.agents.log.kafka_producer import batches, largest_value


async def counts(entries: list[Entry], *, batch_bytes: int) -> list[int]:
    producer = new_producer(bootstrap_servers="nowhere:1", max_batch_size=batch_bytes)
    packed = [batch.record_count() for batch in batches(producer, entries)]
    await producer.stop()
    return packed


async def test_a_batch_takes_what_fits() -> None:
    entry = Entry(b"k" * 10, b"v" * 90)

    assert await counts([entry] * 20, batch_bytes=100_000) == [20]
    packed = await counts([entry] * 20, batch_bytes=1_000)
    assert sum(packed) == 20
    assert 3 <= len(packed) <= 4


async def test_a_record_over_a_batch_travels_alone() -> None:
    small, large = Entry(b"k", b"v"), Entry(b"k", b"v" * 5_000)

    assert await counts([small, large, small, small], batch_bytes=1_000) == [1, 1, 2]


async def test_nothing_makes_no_batch() -> None:
    assert await counts([], batch_bytes=1_000) == []


def test_a_tombstone_has_no_size() -> None:
    assert largest_value([]) == 0
    assert largest_value([Entry(b"k", None), Entry(b"k", b"four")]) == 4
