"""The model of the measurements."""

from __future__ import annotations

from docreactor.bench.stock import SET_COUNT, Stock, stock
from docreactor.bench.workload import SCOPE, Workload
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.job import Mutation

CONTEXT = Context(
    "2026-01-01T00:00:00.000000Z", "a", None, Origin("d", stock.document_type, "main", "")
)


def test_a_change_sets_the_count_of_its_item_and_nothing_else() -> None:
    state = Stock(counts={"item-00": 1, "item-01": 2})
    input = {"item": "item-01", "count": 7, "note": "seven"}

    after = stock.apply(1, SCOPE, SET_COUNT, state, input, CONTEXT)

    assert after == Stock(counts={"item-00": 1, "item-01": 7})


def test_what_the_workload_asks_for_is_what_the_model_takes() -> None:
    (job,) = Workload(partitions=2).changes(1, per_job=1)
    (action,) = Mutation.decode(job.entry.value or b"").actions

    stock.check(stock.version, SCOPE, action.type, action.input)
