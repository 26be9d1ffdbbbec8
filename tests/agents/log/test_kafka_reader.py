"""Readers on a real Kafka, and on none."""

from __future__ import annotations

import socket

import pytest

from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import BrokerUnreachableError, LogError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries
from tests.agents.log.following import read_until
from tests.support.kafka import Kafka


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
async def test_what_was_compressed_is_read(kafka: Kafka, app: str, compression: str) -> None:
    settings = Settings(app=app, compression=compression)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        values = ["v" * 1_000] * 100
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries(*values)})
        reader = await log.reader({to: Offset(0)})

        assert await read_until(reader, to, 101) == [value.encode() for value in values]


async def test_a_reader_is_not_opened_where_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(BrokerUnreachableError, match=rf"{address} after 0\.5 s"):
            async with open_kafka(Settings(app="a"), address, wait_s=0.5):
                pass


async def test_a_closed_reader_is_to_be_opened_again(kafka: Kafka, app: str) -> None:
    async with open_kafka(Settings(app=app), kafka.bootstrap_servers, wait_s=10) as log:
        to = await create(log, f"{app}.a")
        reader = await log.reader({to: Offset(0)})
        await reader.close()
        with pytest.raises(LogError):
            await reader.fetch(count_max=1, timeout_ms=1_000)
