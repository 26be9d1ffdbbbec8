"""A writer that goes on, whatever is refused."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.log import Entry
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import LogError, RecordRefusedError, TooLargeError
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries, too_large
from tests.agents.log.following import read
from tests.support.kafka import Kafka


async def test_a_value_over_the_bound_is_too_large(kafka: Kafka, app: str) -> None:
    settings = Settings(app=app, record_bytes_max=100_000)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        with pytest.raises(TooLargeError, match="100001 is over the limit 100000"):
            await writer.append(to, [Entry(b"k", bytes(100_001))])

        assert await writer.append(to, entries("1")) == 0


async def test_neighbours_of_a_refused_record_can_be_appended_again(kafka: Kafka, app: str) -> None:
    async with open_kafka(Settings(app=app), kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{app}.a", max_message_bytes="10000")
        writer = await log.writer()

        async def persist(value: str) -> None:
            while True:
                try:
                    await writer.append(to, entries(value))
                except LogError:
                    continue
                return

        values = [str(number) for number in range(100)]
        async with asyncio.TaskGroup() as tasks:
            for value in values:
                tasks.create_task(persist(value))
            with pytest.raises(RecordRefusedError):
                await writer.append(to, [too_large()])

        records, _ = await read(log, to)
        assert sorted(int(record.value or b"") for record in records) == list(range(100))


async def test_a_closed_writer_takes_nothing(kafka: Kafka, app: str) -> None:
    async with open_kafka(Settings(app=app), kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        await writer.close()
        with pytest.raises(LogError):
            await writer.append(to, entries("1"))

        assert await log.end_offsets([to]) == {to: 0}
