"""A view that is built anew beside the one that serves: how fast, and what readers notice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

from docreactor.agents.model_row import DOCUMENTS
from docreactor.bench.folders import Folders
from docreactor.bench.inside import open_gateway
from docreactor.bench.meter import metering
from docreactor.bench.pace import Ask, at_rate
from docreactor.bench.questions import BY_ID, Question, over_wire
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.timings import spread
from docreactor.bench.wire import open_wire
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL

_SLICE_S = 1.0


class Readers(NamedTuple):
    """How often a document is read, and for how long before: first untimed, then timed."""

    per_s: float
    before_s: float


async def measure_rebuild(
    stage: Stage, workload: Workload, folders: Folders, readers: Readers, *, operations: int
) -> list[Figure]:
    """Two workers build the view of all operations; documents are read before and meanwhile."""
    async with (
        metering(stage) as meter,
        stage.worker(MODEL) as first,
        stage.worker(MODEL, number=2) as second,
        open_gateway(stage, MODEL) as gateway,
    ):
        announcement = await first.ready()
        await second.ready()
        await meter.ready(first)
        async with open_wire(announcement.url) as wire:
            next_one = _reading(over_wire(wire, workload, folders))
            stage.say("Reading before the view is built anew")
            await at_rate(next_one, per_s=readers.per_s, seconds=readers.before_s)
            before = await at_rate(next_one, per_s=readers.per_s, seconds=readers.before_s)
            generation = gateway.coordinator.rebuild(DOCUMENTS).generation
            building = asyncio.create_task(
                meter.reached(DOCUMENTS, first, second, generation=generation)
            )
            meanwhile = await _until(building, next_one, readers.per_s)
        since_s, until_s = meter.begun_s(DOCUMENTS, generation), await building
    calm, busy = spread(before), spread(meanwhile)
    return [
        Figure(
            "rebuild of the view, two workers",
            operations / (until_s - since_s),
            "operations/s",
            "at least 30,000",
        ),
        *calm.figures(f"{BY_ID} at {readers.per_s:g}/s, before the rebuild"),
        *busy.figures(f"{BY_ID} at {readers.per_s:g}/s, while it runs"),
        Figure("p99 while it runs, times before", busy.p99_ms / calm.p99_ms, "", "at most 2"),
    ]


def _reading(questions: Sequence[Question]) -> Ask:
    """Reads one document after the other, whatever number it is given."""
    numbers = count()
    question = next(one for one in questions if one.name == BY_ID)

    async def ask(_: int) -> None:
        await question.ask(next(numbers))

    return ask


async def _until(building: asyncio.Task[float], ask: Ask, per_s: float) -> list[float]:
    """Read at this rate until it is built; how long each read took."""
    taken: list[float] = []
    while not building.done():
        taken += await at_rate(ask, per_s=per_s, seconds=_SLICE_S)
    return taken
