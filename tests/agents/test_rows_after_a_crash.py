"""Users' rows on a real Kafka and disk: a worker killed in the middle loses and doubles none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.client import Reactor
from docreactor.pipeline.settings import Settings
from tests.support.kafka import Kafka
from tests.support.workers import WorkerProcess

NOTES = 10


async def _tag(reactor: Reactor, rounds: range) -> str:
    """Tag every note once a round; the token of the last write."""
    token = ""
    for at in rounds:
        jobs = [
            reactor.submit(f"n{number}", {"type": "TAG", "input": {"tag": f"t{at}"}}, wait="write")
            for number in range(NOTES)
        ]
        token = (await asyncio.gather(*jobs))[-1].token
    return token


async def test_a_worker_that_is_killed_goes_on_from_its_rows(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    settings = Settings(app=app, partitions=1)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=15) as log:
        await create_topics(log, settings)
    worker = WorkerProcess(
        app,
        kafka.bootstrap_servers,
        tmp_path / "w",
        {"DOCREACTOR_PARTITIONS": "1"},
        models="docreactor.examples.tags",
    )
    worker.start()
    try:
        async with Reactor(await worker.await_ready()) as reactor:
            for number in range(NOTES):
                await reactor.create("example/note", id=f"n{number}", wait="write")
            writing = asyncio.create_task(_tag(reactor, range(200)))
            try:
                await _tag(reactor, range(200, 205))
            finally:
                worker.kill()
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
        assert list((tmp_path / "w").rglob("tables/0/models/tags-0/*.log"))
        worker.start()
        async with Reactor(await worker.await_ready()) as reactor:
            token = await _tag(reactor, range(205, 206))
            rows = (await reactor.rows("tags", prefix="note/", token=token)).rows
            counts = (await reactor.rows("tags", prefix="count/", limit=1_000)).rows
            tagged: dict[str, int] = {}
            for number in range(NOTES):
                tags = (await reactor.get(f"n{number}", token=token)).state["global"]["tags"]
                assert rows[number].value == {"tags": tags, "is_deleted": False}
                for tag in tags:
                    tagged[f"count/{tag}"] = tagged.get(f"count/{tag}", 0) + 1
            assert {row.key: row.value for row in counts} == tagged
            assert len(tagged) > 6
    finally:
        worker.kill()
