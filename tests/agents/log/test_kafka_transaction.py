"""What a transaction accepts, and the offsets that it tells."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from random import Random

import pytest

from docreactor.agents.log import Entry, Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.pipeline.errors import RecordRefusedError
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries
from tests.agents.log.following import read
from tests.support.kafka import Kafka

MIB = 1024 * 1024


@pytest.fixture
async def log(kafka: Kafka, app: str) -> AsyncGenerator[Log, None]:
    settings = Settings(app=app, record_bytes_max=4 * MIB)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        yield log


async def test_partitions_of_many_batches_each_stand_in_one_piece(log: Log, app: str) -> None:
    first = await create(log, f"{app}.a", 3, max_message_bytes=str(8 * MIB))
    sources = [TopicPartition(first.topic, number) for number in range(3)]
    transactor = await log.transactor(app)
    random = Random(0)
    written = {
        source: [Entry(b"%d" % n, random.randbytes(size)) for n in range(40)]
        for source, size in zip(sources, (10, 100_000, 200_000), strict=True)
    }
    async with transactor.transaction() as transaction:
        assert await transaction.send(written) == dict.fromkeys(sources, 0)
        assert await transaction.send({sources[1]: entries("last")}) == {sources[1]: 40}
    for source in sources[::2]:
        records, _ = await read(log, source, count=40)
        assert [(each.key, each.value) for each in records] == [
            (each.key, each.value) for each in written[source]
        ]


async def test_a_value_over_the_bound_is_refused_before_it_is_sent(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a", max_message_bytes=str(8 * MIB))
    transactor = await log.transactor(app)
    with pytest.raises(RecordRefusedError, match=f"{4 * MIB + 1} bytes are over {4 * MIB}"):
        async with transactor.transaction() as transaction:
            await transaction.send({to: [Entry(b"k", bytes(4 * MIB + 1))]})

    assert await log.end_offsets([to]) == {to: 0}


async def test_sending_nothing_is_allowed(log: Log, app: str) -> None:
    to = await create(log, f"{app}.a")
    transactor = await log.transactor(app)
    async with transactor.transaction() as transaction:
        assert await transaction.send({to: []}) == {}
        assert await transaction.send({}) == {}
