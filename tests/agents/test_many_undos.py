"""What a run of undos costs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.timestamp import Microseconds, parse, render
from tests.agents.test_odd_jobs import LATER, load
from tests.support.replicas import MAIN, Record, Replica

EACH = 200
ALTERNATING = ["COUNT", "UNDO"] * EACH
IN_A_ROW = ["COUNT"] * EACH + ["UNDO"] * EACH

counter = DocumentModel("test/words", state=dict)
calls: list[None] = []


@counter.action
def count(state: dict[str, Any], _: Any) -> dict[str, Any]:
    """One more; how often it is called is known."""
    calls.append(None)
    return {"count": state.get("count", 0) + 1}


@pytest.mark.parametrize("kinds", [ALTERNATING, IN_A_ROW])
async def test_an_undo_folds_not_everything_that_its_job_placed_before(kinds: list[str]) -> None:
    replica = Replica("a", models=(counter,))
    await replica.create()
    times = [render(Microseconds(parse(LATER) + at)) for at in range(len(kinds))]
    given = [StoredAction(f"x{at}", kind, "global", times[at], {}) for at, kind in enumerate(kinds)]
    content = msgspec.json.encode(load(MAIN, *given))
    calls.clear()
    records: list[Any] = [Record(replica.consumed, b"any", content)]
    staging = await replica.reducer.reduce(records)
    assert len(staging.operations) == 2 * EACH
    assert len(calls) < 10 * EACH
    await replica.take(staging)
    row = replica.documents.row(MAIN)
    assert row is not None
    assert replica.replay.decode(MAIN, row).content == b"{}"
