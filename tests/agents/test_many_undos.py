"""What a run of undos costs."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, parse, render
from docreactor.tables.operations import OperationsTable
from tests.agents.test_convergence import check_stream
from tests.agents.test_odd_jobs import LATER, load
from tests.support.oracle import effective, words_of
from tests.support.replicas import MAIN, Record, Replica

EACH = 200
DONE = ["COUNT"] * EACH
RUNS = {
    "alternating": (["COUNT", "UNDO"] * EACH, 0),
    "in a row": (DONE + ["UNDO"] * EACH, 0),
    "and back": (DONE + ["UNDO"] * EACH + ["REDO"] * EACH, EACH),
    "to and fro": (DONE + ["UNDO", "REDO"] * EACH, EACH),
    "two down, one up": (DONE + ["UNDO", "UNDO", "REDO"] * (EACH // 2), EACH // 2),
    "more than there is": ([*DONE[:10], *["UNDO"] * EACH], 0),
    "under a noop": ([*DONE, "NOOP", *["UNDO"] * EACH], 0),
    "back under an edit": ([*DONE, *["UNDO"] * EACH, "COUNT", *["REDO"] * EACH], EACH + 1),
}

counter = DocumentModel("test/words", state=dict)
calls: list[None] = []


@counter.action
def count(state: dict[str, Any], _: Any) -> dict[str, Any]:
    """One more; how often it is called is known."""
    calls.append(None)
    return {"count": state.get("count", 0) + 1}


class Pages(OperationsTable):
    """Stored operations; counts how many were read downwards."""

    read = 0

    def page_back(self, stream: Stream, last_index: int, count_max: int) -> list[tuple[int, bytes]]:
        page = super().page_back(stream, last_index, count_max)
        self.read += len(page)
        return page


@pytest.mark.parametrize("run", RUNS)
async def test_an_undo_goes_not_through_everything_that_its_job_placed_before(run: str) -> None:
    kinds, left = RUNS[run]
    replica = Replica("a", models=(counter,))
    await replica.create()
    times = [render(Microseconds(parse(LATER) + at)) for at in range(len(kinds))]
    given = [StoredAction(f"x{at}", kind, "global", times[at], {}) for at, kind in enumerate(kinds)]
    content = msgspec.json.encode(load(MAIN, *given))
    calls.clear()
    records: list[Any] = [Record(replica.consumed, b"any", content)]
    staging = await replica.reducer.reduce(records)
    assert len(staging.operations) == len(kinds)
    assert len(calls) < 4 * len(kinds)
    pages = Pages(replica.store)
    replica.view = replica.showing(pages)
    calls.clear()
    await replica.take(staging)
    assert len(calls) < 4 * len(kinds)
    assert pages.read < 40 * len(kinds)
    row = replica.documents.row(MAIN)
    assert row is not None
    shown = replica.replay.decode(MAIN, row)
    assert shown.state == ({"count": left} if left else {})
    assert shown.content == (await replica.tables.cache.get(MAIN)).content


@pytest.mark.parametrize("seed", range(60))
async def test_jobs_of_many_undos_show_what_the_rules_say(seed: int) -> None:
    chance = random.Random(seed)
    replica = Replica("a", Settings(app="test", keyframe_policy="fixed", keyframe_interval=7))
    await replica.create()
    kinds = chance.choices(["ADD", "ADD", "DROP", "UNDO", "UNDO", "REDO", "NOOP"], k=4)
    for job in range(chance.randint(1, 3)):
        given: list[StoredAction] = []
        for at in range(chance.randint(5, 60)):
            kind = chance.choice(["ADD", *kinds])
            word = {"word": chance.choice("ab")} if kind in ("ADD", "DROP") else {}
            moment = render(Microseconds(parse(LATER) + chance.randint(20 * job, 100)))
            given.append(StoredAction(f"x{job}-{at}", kind, "global", moment, word))
        assert await replica.submit(load(MAIN, *given)) == [None]
        check_stream(replica, MAIN)
        wanted = words_of(effective(replica.stored(MAIN)))
        row = replica.documents.row(MAIN)
        assert row is not None
        assert replica.replay.decode(MAIN, row).content == encode(wanted)
        assert not list(replica.documents.quarantined())
