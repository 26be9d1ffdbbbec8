"""Export and import on the real broker: another deployment, with another number of partitions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from docreactor.gateway.client import Reactor
from tests.gateway.cli.running import Said, say
from tests.support.kafka import Kafka
from tests.support.workers import WorkerProcess

IDS = [f"d{number}" for number in range(8)]


async def run(kafka: Kafka, partitions: int, *arguments: str) -> Said:
    environment = {
        "DOCREACTOR_BROKER": kafka.bootstrap_servers,
        "DOCREACTOR_PARTITIONS": str(partitions),
    }
    return await say(*arguments, **environment)


@asynccontextmanager
async def serving(kafka: Kafka, app: str, partitions: int, data: Path) -> AsyncIterator[Reactor]:
    """A worker of the deployment."""
    environment = {"DOCREACTOR_PARTITIONS": str(partitions)}
    worker = WorkerProcess(app, kafka.bootstrap_servers, data, environment)
    worker.start()
    try:
        async with Reactor(await worker.await_ready()) as reactor:
            yield reactor
    finally:
        worker.kill()


async def told(reactor: Reactor) -> dict[str, Any]:
    """Documents and histories, hashes and links among them; positions are another log's."""
    found: dict[str, Any] = {}
    for document_id in IDS:
        document = await reactor.get(document_id)
        found[document_id] = [document.header, document.state] + [
            (await reactor.history(document_id, scope=scope)).operations
            for scope in ("document", "global")
        ]
    return found


@pytest.mark.kafka
async def test_what_was_exported_while_serving_is_the_same_in_more_partitions(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    path, other = tmp_path / "backup.jsonl.gz", f"{app}-5"
    assert (await run(kafka, 2, "topics", "create", "--app", app)).code == 0
    async with serving(kafka, app, 2, tmp_path / "two") as reactor:
        for document_id in IDS:
            await reactor.create("test/ledger", id=document_id)
            entries = [{"type": "ADD", "input": {"amount": amount}} for amount in range(20)]
            await reactor.submit(document_id, entries, wait="read")

        exported = await run(kafka, 2, "export", str(path), "--app", app, "--json")
        before = await told(reactor)
        while_served = await run(kafka, 2, "import", str(path), "--app", app)

    imported = await run(kafka, 5, "import", str(path), "--app", other, "--json")
    again = await run(kafka, 5, "import", str(path), "--app", other)

    assert exported.code == 0, exported.err
    assert exported.json["operations"] == 22 * len(IDS)
    assert while_served.err.splitlines()[-1].startswith("GroupHasMembers: ")
    assert imported.code == 0, imported.err
    assert imported.json["operations"] == 22 * len(IDS)
    assert (imported.json["partitions"], imported.json["found"]) == (5, 0)
    assert again.code == 1
    assert again.err.splitlines()[-1].startswith("DeploymentNotEmpty: ")
    async with serving(kafka, other, 5, tmp_path / "five") as reactor:
        assert await told(reactor) == before
        job = await reactor.submit(IDS[0], {"type": "ADD", "input": {"amount": 1}}, wait="read")
        assert (await reactor.get(IDS[0], token=job.token)).header.revision["global"] == 21


async def test_a_file_that_is_no_backup_is_refused_by_line(
    kafka: Kafka, app: str, tmp_path: Path
) -> None:
    (tmp_path / "b").write_bytes(b"{}\n")

    refused = await run(kafka, 2, "import", str(tmp_path / "b"), "--app", app)

    assert refused.code == 1
    assert refused.err.splitlines()[-1].startswith("InvalidBackup: ")
    assert "line 1" in refused.err


async def test_a_file_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    refused = await say("import", str(tmp_path / "none"))

    assert refused.code == 2
