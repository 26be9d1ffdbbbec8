"""Records that are appended together stand together, and can be read."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from docreactor.agents.bundle import BundleWriter
from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import RecordRefusedError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration
from tests.support.kafka import Kafka
from tests.support.nodes import Site, site


def _sources(place: Site) -> tuple[TopicPartition, TopicPartition]:
    return place.source(place.topics.actions, 0), place.source(place.topics.actions, 1)


def _entries(*values: bytes) -> list[Entry]:
    return [Entry(value, value) for value in values]


async def test_it_stands_in_every_partition_at_once() -> None:
    place = site(partitions=2)
    opened: list[str] = []
    seen: list[Mapping[TopicPartition, int]] = []

    async def hook(step: str) -> None:
        opened.append(step)
        if step == "sent":
            seen.append(await place.log().end_offsets([a, b]))

    a, b = _sources(place)
    bundles = BundleWriter(place.log(hook), "gateway")
    assert opened == []  # nothing is opened before it is needed

    assert await bundles.append({a: _entries(b"1", b"2"), b: _entries(b"3")}) == {a: 0, b: 0}
    assert await bundles.append({b: _entries(b"4")}) == {b: 2}

    assert opened.count("opened") == 1
    assert seen == [{a: 0, b: 0}, {a: 3, b: 2}]
    assert [record.value for record in place.records(place.topics.actions)] == [b"1", b"2"]
    await bundles.close()


async def test_a_refusal_leaves_nothing_and_the_next_bundle_goes_through() -> None:
    place = site(partitions=2)
    place.limit(place.topics.actions, 1_000)
    a, b = _sources(place)
    bundles = BundleWriter(place.log(), "gateway")

    with pytest.raises(RecordRefusedError):
        await bundles.append({a: _entries(b"1"), b: _entries(b"x" * 2_000)})

    assert place.records(place.topics.actions) == []
    await bundles.append({a: _entries(b"1")})
    assert len(place.records(place.topics.actions)) == 1
    await bundles.close()


async def test_a_lost_marker_is_made_up_for() -> None:
    place = site(partitions=2)
    a, b = _sources(place)

    async def hook(step: str) -> None:
        if step == "commit":
            # The first marker is lost, the next one is not.
            place.cluster.leaderless = set() if place.cluster.leaderless else {b}

    bundles = BundleWriter(place.log(hook), "gateway")
    await bundles.append({a: _entries(b"1"), b: _entries(b"2")})

    ends = await place.log().end_offsets([a, b])
    assert ends[b] == 2
    await bundles.close()


async def test_closing_twice_is_no_error_and_it_opens_again() -> None:
    place = site(partitions=2)
    a, _ = _sources(place)
    bundles = BundleWriter(place.log(), "gateway")
    await bundles.append({a: _entries(b"1")})
    await bundles.close()
    await bundles.close()
    assert await bundles.append({a: _entries(b"2")}) == {a: 2}
    await bundles.close()


@pytest.mark.kafka
async def test_on_a_real_kafka_it_is_read_whole_and_one_after_the_other(
    kafka: Kafka, app: str
) -> None:
    settings = Settings(app=app, replication_factor=1, min_insync_replicas=1)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=15.0) as log:
        await log.create([TopicDeclaration(f"{app}.actions", 2, {})])
        a, b = TopicPartition(f"{app}.actions", 0), TopicPartition(f"{app}.actions", 1)
        bundles = BundleWriter(log, f"{app}-gateway-1")

        assert await bundles.append({a: _entries(b"1", b"2"), b: _entries(b"3")}) == {a: 0, b: 0}
        assert await log.end_offsets([a, b]) == {a: 3, b: 2}
        assert await bundles.append({b: _entries(b"4")}) == {b: 2}
        assert await log.end_offsets([a, b]) == {a: 3, b: 4}
        await bundles.close()
