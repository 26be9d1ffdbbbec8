"""Transactions that are cut short: by a cancellation, by a broker that does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from docreactor.agents.log import Log
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import FencedError, LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries
from tests.agents.log.following import eventually, read
from tests.support.kafka import Kafka
from tests.support.own_kafka import OwnKafka


@pytest.fixture
def settings(app: str) -> Settings:
    return Settings(app=app, transaction_timeout_ms=2_000, broker_timeout_ms=2_000)


@pytest.fixture
async def log(kafka: Kafka, settings: Settings) -> AsyncGenerator[Log, None]:
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        yield log


async def test_a_cancelled_block_is_aborted_and_the_transactor_goes_on(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    transactor = await log.transactor(app)
    begun = asyncio.Event()

    async def block() -> None:
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("lost")})
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with transactor.transaction() as transaction:
        await transaction.send({to: entries("kept")})

    records, _ = await read(log, to, count=1)
    assert [record.value for record in records] == [b"kept"]
    await transactor.close()


async def test_a_cancellation_at_any_moment_leaves_all_or_nothing(log: Log, app: str) -> None:
    source, to = await create(log, f"{app}.in"), await create(log, f"{app}.out")
    number, is_cancelled = 0, True
    while is_cancelled:
        number += 1
        transactor = await log.transactor(app)
        try:
            # Each a little later than the last, until one gets through.
            async with asyncio.timeout(0.0003 * number), transactor.transaction() as transaction:
                await transaction.send({to: entries(str(number))})
                await transaction.consume({source: Offset(number)})
            is_cancelled = False
        except TimeoutError:
            pass
        await transactor.close()
        # Opening it again waits for what was decided to be seen.
        await (await log.transactor(app)).close()
        records, _ = await read(log, to)
        newest = int(records[-1].value or b"") if records else None
        assert await log.committed(source) == newest
        assert is_cancelled or newest == number
    assert number > 3


async def test_a_transactor_that_was_closed_inside_its_block_commits_nothing(
    log: Log, app: str
) -> None:
    to = await create(log, f"{app}.a")
    transactor = await log.transactor(app)
    with pytest.raises(LogError):
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("lost")})
            await transactor.close()
    with pytest.raises(LogError, match="open the transactor again: it was closed"):
        async with transactor.transaction():
            pass

    again = await log.transactor(app)
    await eventually(lambda: log.end_offsets([to]), {to: 2})
    assert (await read(log, to))[0] == []
    await again.close()


async def test_a_fenced_transactor_stays_fenced(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    old, new = await log.transactor(app), await log.transactor(app)
    for _ in range(3):
        with pytest.raises(FencedError, match="end this one"):
            async with old.transaction() as transaction:
                await transaction.send({to: entries("never written")})
    await old.close()
    with pytest.raises(FencedError):
        async with old.transaction():
            pass
    await new.close()


async def test_a_transaction_that_outlives_its_timeout_is_fenced(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    transactor = await log.transactor(app)
    with pytest.raises(FencedError):
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("lost")})
            await eventually(lambda: log.end_offsets([to]), {to: 2})
    assert (await read(log, to))[0] == []
    await transactor.close()


async def test_a_silent_broker_bounds_every_call(own_kafka: OwnKafka, settings: Settings) -> None:
    loop = asyncio.get_running_loop()
    async with open_kafka(settings, own_kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{settings.app}.a")
        transactor = await log.transactor(settings.app)
        writer = await log.writer()
        began = loop.time()
        with pytest.raises(LogError, match="took too long"):
            async with transactor.transaction() as transaction:
                own_kafka.pause()
                # A process stops a moment after it was told to.
                while loop.time() - began < 10:
                    await transaction.send({to: entries("lost")})
        with pytest.raises(LogError, match="took too long"):
            await writer.append(to, entries("perhaps"))
        with pytest.raises(LogError, match="took too long"):
            await log.transactor("other")
        with pytest.raises(LogError, match="took too long"):
            await log.end_offsets([to])
        await transactor.close()
        assert loop.time() - began < 20
        own_kafka.resume()

        again = await log.transactor(settings.app)
        async with again.transaction() as transaction:
            await transaction.send({to: entries("kept")})
        await writer.append(to, entries("kept too"))

        records, _ = await read(log, to, count=2)
        values = [record.value for record in records if record.value != b"perhaps"]
        assert values == [b"kept", b"kept too"]
        own_kafka.kill()
        began = loop.time()
        with pytest.raises(LogError, match="opening the transactor other took too long"):
            await log.transactor("other")
        assert loop.time() - began > 1.9
        began = loop.time()
    assert loop.time() - began < 10
