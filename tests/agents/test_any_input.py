"""Whatever a job brings: it ends, by itself, and what was stored is shown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from docreactor.agents.staging import result_entries
from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Incoming, Job, Load
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from tests.support.replicas import DOCUMENT, HOME, MAIN, Record, Replica

LONG_AGO = "2000-01-01T00:00:00.000000Z"
LATER = "2030-01-01T00:00:00.000000Z"
GIVEN: dict[str, Any] = {"model": "test/words", "document_id": DOCUMENT}


async def decided(replica: Replica, *jobs: Job) -> list[str | None]:
    """Decide jobs as a batch from their bytes, write, show and answer them; each one's error."""
    first = replica.consumed
    replica.consumed += len(jobs)
    records: list[Any] = [
        Record(first + at, b"any", msgspec.json.encode(job)) for at, job in enumerate(jobs)
    ]
    staging = await replica.reducer.reduce(records)
    result_entries(staging.ended, log_id="0" * 32, partition=0, first_offset=0, reached=0)
    names = await replica.take(staging)
    assert list(replica.documents.quarantined()) == []
    return names


def load(stream: Stream, *actions: StoredAction, job_id: str = "l1-0") -> Load:
    document_id, scope, branch = stream
    return Load(job_id, document_id, branch, scope, tuple(Incoming(one) for one in actions))


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("timestamp", [LONG_AGO, LATER])
async def test_a_loaded_creation_that_cannot_be_is_refused_wherever_it_would_stand(
    timestamp: str,
) -> None:
    wrong = load(HOME, StoredAction("c0", "CREATE_DOCUMENT", "document", timestamp, None))
    nothing, created = Replica("a"), Replica("b")
    await created.create()
    assert await decided(nothing, wrong) == ["InvalidInput"]
    assert await decided(created, wrong) == ["InvalidInput"]
    assert len(created.stored(HOME)) == 2
