"""After an erasure and a compaction the text is in no file, neither the broker's nor a table's."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import create_topics
from docreactor.gateway.client import Reactor
from docreactor.pipeline.errors import ActionIdConflictError
from docreactor.pipeline.settings import Settings
from tests.support.own_kafka import OwnKafka
from tests.support.workers import WorkerProcess

KEPT = ("operations", "keyframes", "jobs", "deferred")
LONG_AGO = "2020-01-02T03:04:05.000006Z"
SETTINGS: dict[str, Any] = {
    "partitions": 1,
    "segment_ms": 200,
    "max_compaction_lag_ms": 200,
    "compression": "none",
    "keyframe_policy": "fixed",
    "keyframe_interval": 2,
}


def segments(broker: Path, app: str, topic: str) -> list[Path]:
    """The log segments of the topic's partition."""
    return list(broker.glob(f"**/{app}.{topic}-0/*.log"))


def holds(paths: list[Path], text: str) -> list[str]:
    """The names of the files that the text is in; a file that has just gone has it not."""
    found: list[str] = []
    for path in paths:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        if text.encode() in content:
            found.append(f"{path.parent.name}/{path.name}")
    return found


async def until(condition: Callable[[], bool], go_on: Callable[[], Any]) -> None:
    """Wait until it holds; the broker rolls a segment only when something is written."""
    async with asyncio.timeout(60):
        while not condition():
            await go_on()


async def fill(reactor: Reactor, document_id: str, text: str) -> None:
    """The text in names, inputs, ids, errors, and in a load that waits for its document."""
    await reactor.create("test/ledger", id=document_id, slug=text, name=text, meta={"k": text})
    action = {"id": text, "type": "SET_NAME", "scope": "global", "timestamp": LONG_AGO}
    await reactor.load(
        document_id, [{"action": action | {"input": {"name": text}}}], branch="nowhere"
    )
    meta = {"type": "SET_META", "input": {"key": text, "value": text}}
    for number in range(6):
        await reactor.submit(document_id, meta | {"id": f"{text}-{number}"}, wait="read")
    try:
        await reactor.submit(
            document_id, meta | {"id": f"{text}-0", "input": {"key": "k"}}, wait="write"
        )
    except ActionIdConflictError as error:
        assert text in error.message


async def write_more(reactor: Reactor, number: int) -> None:
    """Something on every topic, about other documents."""
    document_id = f"other-{number}"
    await fill(reactor, document_id, f"{document_id}-text")


async def test_the_text_is_in_no_file_after_compaction(
    own_kafka: OwnKafka, app: str, tmp_path: Path
) -> None:
    text, settings = secrets.token_hex(24), Settings(app=app, **SETTINGS)
    async with open_kafka(settings, own_kafka.bootstrap_servers, wait_s=10) as log:
        await create_topics(log, settings)
    environment = {f"DOCREACTOR_{name.upper()}": str(value) for name, value in SETTINGS.items()}
    worker = WorkerProcess(app, own_kafka.bootstrap_servers, tmp_path / "w", environment)
    worker.start()
    try:
        async with Reactor(await worker.await_ready()) as reactor:
            await fill(reactor, "d", text)
            for topic in KEPT:
                assert holds(segments(own_kafka.directory, app, topic), text), topic
            tables = [path for path in worker.data.glob("**/*") if path.is_file()]
            assert holds(tables, text)

            await reactor.erase("d", wait="read")

            number = 0

            async def go_on() -> None:
                nonlocal number
                number += 1
                await write_more(reactor, number)

            def is_gone() -> bool:
                paths = [path for one in KEPT for path in segments(own_kafka.directory, app, one)]
                return not holds(paths, text)

            await until(is_gone, go_on)
            stores = [path for path in worker.data.glob("**/*") if path.suffix in (".sst", ".log")]
            assert stores
            assert holds(stores, text) == []
            assert holds(segments(own_kafka.directory, app, "actions"), text), "until retention"
    finally:
        worker.kill()
