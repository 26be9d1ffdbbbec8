"""Whether what an owner has written is ended everywhere."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.log import Entry, TopicPartition, Transactor
from docreactor.agents.markers import Markers, noted_ends
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from tests.support.nodes import Site, site

ENTRY = Entry(b"k", b"v")


def _sources(place: Site) -> tuple[TopicPartition, TopicPartition]:
    return place.source(place.topics.operations), place.source(place.topics.jobs)


def _markers(place: Site) -> Markers:
    return Markers(place.log(), _sources(place))


async def _write(transactor: Transactor, markers: Markers, *to: TopicPartition) -> None:
    async with transactor.transaction() as transaction:
        await markers.watch(transaction).send({each: [ENTRY] * 3 for each in to})


async def test_with_every_marker_in_its_place_nothing_is_missing() -> None:
    place = site()
    transactor, markers = await place.log().transactor("one"), _markers(place)
    await _write(transactor, markers, *_sources(place))
    await markers.settle()
    assert await _markers(place).missing() == {}


async def test_what_lost_its_marker_is_missing_it_and_does_not_settle() -> None:
    place = site()
    transactor, markers = await place.log().transactor("one"), _markers(place)
    operations, jobs = _sources(place)
    await _write(transactor, markers, operations)
    place.cluster.leaderless = {operations}
    await _write(transactor, markers, operations, jobs)
    with pytest.raises(LogError, match=r"operations-0: the last transaction has no marker there"):
        await markers.settle()
    assert await _markers(place).missing() == {operations: range(4, 7)}


async def test_a_marker_that_comes_late_is_waited_for() -> None:
    place = site()
    transactor, markers = await place.log().transactor("one"), _markers(place)
    operations, _ = _sources(place)
    place.cluster.leaderless = {operations}
    await _write(transactor, markers, operations)
    settling = asyncio.create_task(markers.settle())
    await asyncio.sleep(0)
    assert not settling.done()
    place.cluster.leaderless.clear()
    async with transactor.transaction() as transaction:
        await transaction.touch([operations])
    await settling


async def test_a_transaction_that_failed_is_awaited_too() -> None:
    place = site()
    place.limit(place.topics.jobs, 500)
    transactor, markers = await place.log().transactor("one"), _markers(place)
    operations, jobs = _sources(place)
    place.cluster.leaderless = {operations}
    with pytest.raises(LogError):
        async with transactor.transaction() as transaction:
            watched = markers.watch(transaction)
            await watched.send({operations: [ENTRY]})
            await watched.send({jobs: [Entry(b"k", b"v" * 1_000)]})
    with pytest.raises(LogError, match="operations-0"):
        await markers.settle()


async def test_the_note_says_where_the_records_of_each_topic_end() -> None:
    place = site()
    transactor, markers = await place.log().transactor("one"), _markers(place)
    operations, jobs = _sources(place)
    assert noted_ends(await markers.note()) == {}
    assert await markers.missing() == {}
    await _write(transactor, markers, operations)
    assert noted_ends(await markers.note()) == {operations.topic: 3, jobs.topic: 0}
    markers.began([jobs])
    markers.wrote({operations: Offset(9)})
    assert noted_ends(await markers.note()) == {operations.topic: 9, jobs.topic: 0}


def test_an_offset_that_was_set_by_hand_says_nothing() -> None:
    assert noted_ends("") == {}
