"""A sweep shows what is committed below the ends, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from docreactor.agents.log import Entry, LogRecord, TopicPartition
from docreactor.agents.sweep import ends_of, partitions_of, sweep
from tests.support.nodes import Site, site

_VALUES = [b"%d" % number for number in range(5)]


async def swept(place: Site, *, later: Sequence[bytes] = ()) -> tuple[list[bytes | None], float]:
    """What a sweep shows whose ends were taken before `later` was written; how far it got."""
    shown: list[bytes | None] = []
    told: list[float] = []

    def look(_: TopicPartition, records: Sequence[LogRecord]) -> None:
        shown.extend(record.value for record in records)

    log = place.log()
    ends = await ends_of(log, partitions_of(place.topics.operations, 1))
    await place.write(place.topics.operations, *(Entry(b"k", value) for value in later))
    await sweep(log, ends, look, told.append)
    return shown, told[-1]


async def test_every_record_is_shown_in_order() -> None:
    place = site()
    await place.write(place.topics.operations, *(Entry(b"k", value) for value in _VALUES))

    assert await swept(place, later=[b"later"]) == (_VALUES, 1.0)


async def test_what_was_aborted_is_not_shown() -> None:
    place = site()
    await place.write(place.topics.operations, Entry(b"k", b"before"))
    transactor = await place.log().transactor("t")
    with pytest.raises(KeyError):
        async with transactor.transaction() as transaction:
            await transaction.send({place.source(place.topics.operations): [Entry(b"k", b"no")]})
            raise KeyError

    assert await swept(place, later=[b"later"]) == ([b"before"], 1.0)


def test_a_topics_partitions_are_numbered_from_zero() -> None:
    assert partitions_of("t", 2) == [TopicPartition("t", 0), TopicPartition("t", 1)]
