"""How long a caller waits for a write, and until it can be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from docreactor.agents.live import Until
from docreactor.agents.node import Node
from docreactor.bench.inside import open_inside
from docreactor.bench.meter import ends_of, metering
from docreactor.bench.pace import Ask, at_rate, one_by_one
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.stock import SET_COUNT
from docreactor.bench.timings import spread
from docreactor.bench.wire import Wire, open_wire
from docreactor.bench.workload import ITEMS, SCOPE, Workload, document_id
from docreactor.bench.write import MODEL
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.job import Mutation

_TIMEOUT_S = 30.0
# A Kafka that was just started compiles itself for half a minute, on the cores measured here.
_WARM_UP_PER_S = 200.0

_UNTIL: tuple[Until, ...] = ("write", "read")
_GOALS_IDLE: Mapping[Until, str] = {"write": "at most 8", "read": "at most 12"}
_GOALS_OPEN = ("at most 15", "at most 80")

Submit = Callable[[int, Until], Awaitable[None]]
"""Submits a change of this number and waits until it is written, or can be read."""


@dataclass(frozen=True, slots=True)
class Paces:
    """How often, how long. The open loop is what many callers at once are."""

    sequential: int = 200
    slow_per_s: float = 20.0
    slow_s: float = 20.0
    open_per_s: float = 400.0
    open_s: float = 60.0
    warm_up_s: float = 30.0


async def measure_latency(stage: Stage, workload: Workload, paces: Paces) -> list[Figure]:
    """Through HTTP, then again inside this process, where nothing but the reactor is timed."""
    await stage.fill(
        stage.topics.actions,
        workload.creations(),
        what="Creating documents",
        total=2 * workload.documents,
    )
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        await meter.consumed(ends, worker)
        await meter.ready(worker)
        async with open_wire(announcement.url) as wire:
            figures = await _http(stage, wire, workload, paces)
    async with open_inside(stage, MODEL, tables=stage.settings.data / "inside") as node:
        figures += await _paced("in process", _inside(node, workload), stage, paces)
    return figures


async def _http(stage: Stage, wire: Wire, workload: Workload, paces: Paces) -> list[Figure]:
    figures = await _paced("HTTP", _over(wire, workload), stage, paces)

    async def ask(number: int) -> None:
        await wire.get("/healthz")

    stage.say("GET /healthz: client and server alone")
    idle = spread(await one_by_one(ask, paces.sequential))
    busy = spread(await at_rate(ask, per_s=paces.open_per_s, seconds=paces.open_s / 6))
    figures += idle.figures("HTTP alone, one by one")
    figures += busy.figures(f"HTTP alone, {paces.open_per_s:g}/s")
    return figures


async def _paced(way: str, submit: Submit, stage: Stage, paces: Paces) -> list[Figure]:
    figures: list[Figure] = []
    numbers = count()
    stage.say(f"{way}: warming up")
    await at_rate(_asking(submit, numbers, _UNTIL), per_s=_WARM_UP_PER_S, seconds=paces.warm_up_s)
    for until in _UNTIL:
        stage.say(f"{way}: {paces.sequential} requests, one by one, to {_name(until)}")
        taken = await one_by_one(_asking(submit, numbers, (until,)), paces.sequential)
        figures += spread(taken).figures(
            f"{way}, one by one, to {_name(until)}", goal_p50=_GOALS_IDLE[until]
        )
    for per_s, seconds, goals in (
        (paces.slow_per_s, paces.slow_s, ("", "")),
        (paces.open_per_s, paces.open_s, _GOALS_OPEN),
    ):
        stage.say(f"{way}: {per_s:g}/s for {seconds:g} s")
        taken = await at_rate(_asking(submit, numbers, _UNTIL), per_s=per_s, seconds=seconds)
        for first, until in enumerate(_UNTIL):
            figures += spread(taken[first :: len(_UNTIL)]).figures(
                f"{way}, {per_s:g}/s, to {_name(until)}", goal_p50=goals[0], goal_p99=goals[1]
            )
    return figures


def _asking(submit: Submit, numbers: Iterator[int], untils: Sequence[Until]) -> Ask:
    """Requests that wait for each of these in turn."""

    async def ask(number: int) -> None:
        await submit(next(numbers), untils[number % len(untils)])

    return ask


def _name(until: Until) -> str:
    return f"{until.upper()}_READY"


def _over(wire: Wire, workload: Workload) -> Submit:
    async def submit(number: int, until: Until) -> None:
        document = document_id(number % workload.documents)
        body = encode({"actions": [{"type": SET_COUNT, "input": _input(number, workload)}]})
        answer = await wire.post(f"/v1/documents/{document}/actions?wait={until}", body)
        if answer.status != 200:
            raise MeasurementFailedError(
                f"a submit was answered with {answer.status}: {answer.body.decode()[:500]}"
            )

    return submit


def _inside(node: Node, workload: Workload) -> Submit:
    async def submit(number: int, until: Until) -> None:
        document = document_id(number % workload.documents)
        partition = node.partition_of(document)
        live = node.local(partition)
        if live is None:
            raise node.restoring(partition)
        action = Action(id=node.mint(), type=SET_COUNT, scope=SCOPE, input=_input(number, workload))
        job = Mutation(
            id=f"{node.mint()}-{partition}",
            document_id=document,
            branch=DEFAULT_BRANCH,
            scope=SCOPE,
            actions=(action,),
        )
        offset = await node.submit(job)
        result = await live.wait_job(job.id, offset=offset, until=until, timeout_s=_TIMEOUT_S)
        if result.error is not None:
            raise MeasurementFailedError(f"a job failed: {result.error}")

    return submit


def _input(number: int, workload: Workload) -> dict[str, object]:
    item = number // workload.documents % ITEMS
    input = {"count": number, "item": f"item-{item:02}", "note": ""}
    return {**input, "note": "n" * (workload.input_bytes - len(encode(input)))}
