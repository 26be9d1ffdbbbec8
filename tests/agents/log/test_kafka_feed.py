"""What a consumer brings: large records, markers, pauses, and a broker that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from random import Random

import pytest

from docreactor.agents.log import Entry, Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries
from tests.agents.log.following import DEADLINE_S, drive, following, read, read_until
from tests.support.kafka import Kafka
from tests.support.own_kafka import OwnKafka

LARGE = 12 * 1024 * 1024


@pytest.fixture
def settings(app: str) -> Settings:
    return Settings(app=app, session_timeout_ms=2_000, compression="none")


@pytest.fixture
async def log(kafka: Kafka, settings: Settings) -> AsyncGenerator[Log, None]:
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        yield log


async def test_a_record_larger_than_a_fetch_does_not_block_its_neighbours(
    log: Log, settings: Settings
) -> None:
    first = await create(
        log, f"{settings.app}.a", 4, max_message_bytes=str(settings.record_bytes_max)
    )
    sources = [TopicPartition(first.topic, number) for number in range(4)]
    large = Entry(b"large", Random(0).randbytes(LARGE))
    transactor = await log.transactor(settings.app)
    async with transactor.transaction() as transaction:
        await transaction.send({source: [large, *entries("small")] for source in sources[:2]})
        await transaction.send({source: entries("1", "2") for source in sources[2:]})

    reader = await log.reader(dict.fromkeys(sources, Offset(0)))
    sizes: dict[TopicPartition, list[int]] = {source: [] for source in sources}
    async with asyncio.timeout(DEADLINE_S):
        while sum(map(len, sizes.values())) < 8:
            for source, fetched in (await reader.fetch(count_max=10, timeout_ms=500)).items():
                sizes[source] += [len(record.value or b"") for record in fetched.records]

    assert list(sizes.values()) == [[LARGE, 5], [LARGE, 5], [1, 1], [1, 1]]


async def test_markers_alone_are_told_of_while_a_fetch_waits(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    reader = await log.reader({to: Offset(0)})
    transactor = await log.transactor(app)
    async with asyncio.timeout(20):
        waiting = asyncio.create_task(reader.fetch(count_max=10, timeout_ms=60_000))
        with pytest.raises(ZeroDivisionError):
            async with transactor.transaction() as transaction:
                await transaction.send({to: entries("never seen")})
                raise ZeroDivisionError
        fetched = await waiting

    assert list(fetched[to].records) == []
    assert fetched[to].next_offset == 2


async def test_a_busy_partition_leaves_room_for_the_others(log: Log, app: str) -> None:
    busy = await create(log, f"{app}.a", 2)
    quiet = TopicPartition(busy.topic, 1)
    writer = await log.writer()
    await writer.append(busy, [Entry(b"k", b"v" * 100)] * 20_000)
    reader = await log.reader({busy: Offset(0), quiet: Offset(0)})
    seen = 0
    async with asyncio.timeout(DEADLINE_S):
        while seen < 500:
            seen = (await reader.fetch(count_max=500, timeout_ms=500))[busy].next_offset
        await writer.append(quiet, entries("1"))
        fetched = await reader.fetch(count_max=500, timeout_ms=500)
        while quiet not in fetched:
            seen = fetched[busy].next_offset
            fetched = await reader.fetch(count_max=500, timeout_ms=500)

    assert seen < 20_000


async def test_many_pauses_lose_and_repeat_nothing(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    writer = await log.writer()
    count = 12_000
    await writer.append(to, [Entry(b"k", str(number).encode()) for number in range(count)])
    values: list[int] = []
    async with following(log, [to.topic]) as one:
        await drive([one], lambda: len(one.sources) == 1)
        async with asyncio.timeout(DEADLINE_S):
            while len(values) < count:
                one.member.resume(to)
                fetched = await one.member.fetch(count_max=700, timeout_ms=500)
                one.member.pause(to)
                assert await one.member.fetch(count_max=700, timeout_ms=1) == {}
                if to in fetched:
                    values += [int(record.value or b"") for record in fetched[to].records]

    assert values == list(range(count))


async def test_reading_goes_on_when_the_broker_has_been_away(
    own_kafka: OwnKafka, settings: Settings
) -> None:
    async with open_kafka(settings, own_kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{settings.app}.a")
        writer = await log.writer()
        await writer.append(to, entries("0"))
        async with following(log, [to.topic]) as one:
            await drive([one], lambda: len(one.sources) == 1)
            one.member.resume(to)
            reader = await log.reader({to: Offset(0)})
            assert await read_until(reader, to, 1) == [b"0"]
            assert await read_until(one.member, to, 1) == [b"0"]
            own_kafka.kill()
            until = asyncio.get_running_loop().time() + 4.0
            while asyncio.get_running_loop().time() < until:
                assert await reader.fetch(count_max=10, timeout_ms=100) == {}
                assert await one.member.fetch(count_max=10, timeout_ms=100) == {}

            await asyncio.to_thread(own_kafka.start)
            await (await log.writer()).append(to, entries("1"))

            assert await read_until(reader, to, 2) == [b"1"]
            one.member.seek(to, Offset(0))
            values: list[bytes | None] = []
            async with asyncio.timeout(DEADLINE_S):
                while values[-2:] != [b"0", b"1"]:
                    # The group may assign it anew at any moment, and that begins paused, at 0.
                    one.member.resume(to)
                    fetched = await one.member.fetch(count_max=10, timeout_ms=100)
                    for batch in fetched.values():
                        values += [record.value for record in batch.records]
        assert len((await read(log, to, count=2))[0]) == 2
