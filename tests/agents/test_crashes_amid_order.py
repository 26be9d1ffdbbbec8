"""Reshuffles, markers, upgrades, deferral and erasure end the same wherever a process ended."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Cancellation, Erasure, Job, Load, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from tests.support import oracle
from tests.support.deaths import STEPS, TOLD_BY_TIME, StillClock, die, until_decided
from tests.support.drawn import draw
from tests.support.nodes import KeptStore, Site, live, site
from tests.support.notation import action, deletion, incoming, upgrade
from tests.support.notation import at as second
from tests.support.seeds import Seeds
from tests.support.steps import Death, Steps
from tests.support.words import words

BATCH = 4
TAKEN = tuple(step for step in STEPS if not step.startswith("abort"))
"""Nothing is refused here, so nothing is aborted."""
DOCUMENTS = ("d1", "d2", "d3")
ERASED = "d3"
CANCELLED = "cancelled-0"
_EVERY_KEY = b"\xff" * 8


def _site() -> Site:
    place = site(batch_jobs_max=BATCH, keyframe_policy="fixed", keyframe_interval=2)
    place.models = [words]
    return place


class Work:
    """Jobs in their order."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def create(self, document_id: str, *, job_id: str = "") -> None:
        model = {"model": "test/words", "document_id": document_id}
        versions = {"from_version": 0, "to_version": 1}
        made = action(f"{document_id}-c@0", "CREATE_DOCUMENT", "document", model)
        first = action(f"{document_id}-u@0", "UPGRADE_DOCUMENT", "document", model | versions)
        self.mutate(document_id, made, first, job_id=job_id)

    def mutate(
        self, document_id: str, *given: Action, job_id: str = "", after: Sequence[str] = ()
    ) -> None:
        self.jobs.append(
            Mutation(
                job_id or self._id,
                document_id,
                "main",
                given[0].scope,
                given,
                depends_on=tuple(after),
            )
        )

    def load(self, document_id: str, *given: Action, source: str = "elsewhere") -> None:
        brought = tuple(map(incoming, given))
        self.jobs.append(
            Load(self._id, document_id, "main", given[0].scope, brought, source=source)
        )

    def erase(self, document_id: str) -> None:
        self.jobs.append(Erasure(self._id, document_id))

    def cancel(self, document_id: str, job_id: str) -> None:
        self.jobs.append(Cancellation(self._id, document_id, job_id))

    @property
    def ids(self) -> set[str]:
        """Of all jobs."""
        return {job.id for job in self.jobs}

    @property
    def _id(self) -> str:
        return f"j{len(self.jobs)}-0"


def _work() -> list[Job]:
    """Every action has a time of its own: what is stored says nothing of when."""
    work = Work()
    work.create("d1")
    work.create("d3")
    work.mutate("d1", action("ash@10"), action("bay@20"), action("cup@30"))
    work.mutate("d1", action("elm@12", scope="local"), action("fir@40", scope="local"))

    # Two loads of one stream, placed together: one of them undoes what the other brings.
    work.load("d1", action("x1@15"), action("x2@17", "UNDO"))
    work.load("d1", action("x3@18", "REDO"), action("x4@21", "DROP", input={"word": "bay"}))
    work.mutate("d1", action("u1@50", "UNDO"), action("u2@51", "UNDO"))
    work.mutate("d1", action("r1@52", "REDO"))

    # Decides anew what stands behind it in both scopes; then something older than that.
    work.mutate("d1", upgrade("up@16"))
    work.load("d1", action("y1@5"), action("y2@55"), source="others")
    work.load("d2", action("gum@30"), action("hop@20"))
    work.mutate("d1", action("ivy@60"), job_id="waits-0", after=["makes-d2-0"])

    # Whatever comes for these streams now stands behind what is deferred.
    work.load("d1", action("y3@11"), action("y4@61", "UNDO"))
    work.mutate("d2", action("jay@40"), job_id="behind-0")
    work.mutate("d1", action("name@70", "SET_NAME", "document", {"name": "late"}))
    work.mutate("d3", action("kay@10"), job_id=CANCELLED, after=["nobody-0"])

    work.create("d2", job_id="makes-d2-0")
    work.load("d2", action("z1@25"), action("z2@26", "UNDO"))
    work.cancel("d3", CANCELLED)
    work.mutate("d3", action("lid@20"), action("mud@30"))

    work.load("d3", action("nut@25"))
    work.mutate("d1", deletion("end@80"))
    work.load("d1", action("y5@13"), action("y6@81", "REDO"))
    work.load("d1", action("oak@14", scope="local"))

    work.mutate("d3", action("pea@40"), after=["nobody-0"])
    work.erase(ERASED)
    work.load("d3", action("qua@50"))
    work.load("d2", action("z3@1"), source="others")
    return work.jobs


Values = dict[bytes, list[bytes | None]]
"""The values of each key in their order; the order of keys of several streams is no promise."""


class Outcome(NamedTuple):
    """Everything that a run leaves on the log but positions and times."""

    operations: Values
    deferred: Values
    dead_letters: Values
    results: dict[bytes, list[Any]]


def _outcome(place: Site) -> Outcome:
    topics = place.topics
    results = _values(place, topics.jobs)
    return Outcome(
        _values(place, topics.operations),
        _values(place, topics.deferred),
        _values(place, topics.dead_letters),
        {
            key: [None if value is None else _without_token(value) for value in values]
            for key, values in results.items()
        },
    )


def _values(place: Site, topic: str) -> Values:
    values: Values = {}
    for record in place.records(topic):
        values.setdefault(record.key, []).append(record.value)
    return values


def _without_token(content: bytes) -> Any:
    """A token names a place on the log, and markers of aborted transactions take places too."""
    return {**orjson.loads(content), "token": ""}


def _rows(store: KeptStore) -> dict[bytes, bytes]:
    """All but heads, which remember keyframes that a restore does not look for."""
    rows = store.scan(b"", _EVERY_KEY)
    return {key: value for key, value in rows if not key.startswith(b"h/")}


def _heads(node: Node) -> list[Any]:
    operations = live(node).operations
    return [
        (stream, head.next_index, head.latest_us, head.previous)
        for document_id in DOCUMENTS
        for stream, head in operations.streams_of(document_id)
    ]


def _stored(outcome: Outcome) -> dict[str, list[Operation]]:
    """The operations of each stream that was not erased."""
    streams: dict[str, list[Operation]] = {}
    for key, values in sorted(outcome.operations.items()):
        stream, _, index = key.decode().rpartition("/")
        if index and values[-1] is not None:
            streams.setdefault(stream, []).append(Operation.decode(values[-1]))
    return streams


def _standing(outcome: Outcome) -> dict[str, Any]:
    """Each stream's effective history: actions, errors, versions, and hashes of states."""
    return {
        stream: [
            (one.action, one.error, one.version, one.hash) for one in oracle.effective(operations)
        ]
        for stream, operations in _stored(outcome).items()
    }


def _check_kept(before: Outcome, after: Outcome) -> None:
    """What was stored then is stored as it was, or erased."""
    for key, values in before.operations.items():
        assert after.operations[key][: len(values)] == values, "a stored operation changed"


async def _finish(place: Site, end: int) -> list[Any]:
    """A process that nothing ends comes to the end; the heads that it leaves."""
    async with place.node(clock=StillClock(), ready=False) as node:
        await until_decided(node, end)
        return _heads(node)


async def _clean_run(jobs: list[Job]) -> tuple[Outcome, list[str]]:
    """What a process leaves that nothing ends, and its steps."""
    place, steps = _site(), Steps()
    await place.enqueue(*jobs)
    async with place.node(steps, clock=StillClock()) as node:
        await until_decided(node, len(jobs))
    return _outcome(place), steps.taken


async def _check_tables(place: Site, heads: list[Any], end: int) -> None:
    """They are what a place restores that has nothing but the log."""
    fresh: dict[str, KeptStore] = {}

    def opened(name: str) -> KeptStore:
        return fresh.setdefault(name, KeptStore())

    async with place.node(clock=StillClock(), open_store=opened) as node:
        await until_decided(node, end)
        assert _heads(node) == heads
        assert list(live(node).documents.quarantined()) == []
    for name, store in fresh.items():
        kept, restored = _rows(place.stores[name]), _rows(store)
        apart = {key for key in kept | restored if kept.get(key) != restored.get(key)}
        assert apart == set(), name


async def test_a_clean_run_does_all_that_there_is_to_do() -> None:
    outcome, steps = await _clean_run(_work())
    assert set(steps) == set(TAKEN)
    stored = [one for operations in _stored(outcome).values() for one in operations]
    assert len([one for one in stored if one.skip]) > BATCH
    assert {one.action.type for one in stored} >= {"UNDO", "REDO", "DELETE_DOCUMENT"}
    # One action, decided under one version and then anew under the other.
    assert {one.version for one in stored if one.action.id == "fir"} == {1, 2}
    assert len(outcome.deferred) > BATCH
    assert {len(values) for values in outcome.deferred.values()} == {2}
    erased = {key for key, values in outcome.operations.items() if values[-1] is None}
    assert {key.partition(b"/")[0] for key in erased} == {ERASED.encode()}
    results = [one for values in outcome.results.values() for one in values if one is not None]
    failed = {one["error"]["title"] for one in results if one["error"] is not None}
    assert failed == {"JobCancelled", "DocumentErased"}


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
@pytest.mark.parametrize("step", TAKEN)
async def test_the_same_is_stored_wherever_a_process_ended(step: str, wiped: bool) -> None:
    expected, steps = await _clean_run(_work())
    deaths, count = 0, steps.count(step)
    for number in range(1, count + 1):
        place, death = _site(), Death(step, number)
        jobs = _work()
        await place.enqueue(*jobs)
        await die(place, death)
        deaths += death.happened
        before = _outcome(place)
        if wiped:
            place.stores.clear()
        heads = await _finish(place, len(jobs))
        outcome = _outcome(place)
        _check_kept(before, outcome)
        where = f"{step} {number}"
        assert outcome.operations == expected.operations, where
        assert outcome.results == expected.results, where
        assert outcome.dead_letters == expected.dead_letters, where
        # Which job waits behind another depends on who came first: none waits twice, or for ever.
        assert {tuple(map(bool, each)) for each in outcome.deferred.values()} == {(True, False)}
        await _check_tables(place, heads, len(jobs))
    assert deaths == count or (deaths and step in TOLD_BY_TIME)


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
async def test_what_many_processes_decide_in_turn_stands_in_the_same_order(wiped: bool) -> None:
    """Job by job, what was decided together is not: more is moved, and the same comes of it."""
    expected, _ = await _clean_run(_work())
    place, deaths = _site(), 0
    jobs = _work()
    await place.enqueue(*jobs)
    before = _outcome(place)
    while True:
        # Each proves itself, runs what was deferred, and commits a batch before it ends.
        death = Death("consumed", 5)
        await die(place, death)
        outcome = _outcome(place)
        _check_kept(before, outcome)
        before = outcome
        if not death.happened:
            break
        deaths += 1
        if wiped:
            place.stores.clear()
    assert deaths >= 3
    heads = await _finish(place, len(jobs))
    assert _standing(_outcome(place)) == _standing(expected)
    await _check_tables(place, heads, len(jobs))


async def _many_runs(chance: random.Random, jobs: list[Job]) -> None:
    """Processes that end somewhere, with their tables or without, and what they must leave."""
    expected, steps = await _clean_run(jobs)
    place = _site()
    await place.enqueue(*jobs)
    deaths = chance.choice([1, 1, 2])
    for _ in range(deaths):
        step = chance.choice(TAKEN)
        before = _outcome(place)
        await die(place, Death(step, chance.randint(1, steps.count(step))))
        _check_kept(before, _outcome(place))
        if chance.random() < 0.5:
            place.stores.clear()
    heads = await _finish(place, len(jobs))
    outcome = _outcome(place)
    assert {key: len(each) for key, each in outcome.results.items()} == {
        job.id.encode(): 1 for job in jobs
    }
    # Which of several deferred streams goes on first is no promise: a deletion may be among them.
    if not expected.deferred:
        assert outcome.results == expected.results
        assert outcome.dead_letters == expected.dead_letters
        assert _standing(outcome) == _standing(expected)
        # After two deaths jobs are run one by one, and more is moved.
        assert deaths > 1 or outcome.operations == expected.operations
    await _check_tables(place, heads, len(jobs))


def _drawn(chance: random.Random) -> list[Job]:
    """Jobs about documents of which some come late, or from elsewhere, or both."""
    work = Work()
    promptness = chance.choice([0.3, 1.0])
    for number in range(30):
        document_id = chance.choice(("d1", "d2"))
        if f"{document_id}-0" not in work.ids and chance.random() < promptness:
            work.create(document_id, job_id=f"{document_id}-0")
        scope = chance.choices(("document", "global", "local"), [1, 5, 2])[0]
        stream = Stream(document_id, scope, "main")
        actions = [
            draw(
                chance, stream, f"{chance.choice('abc')}{number}-{at}", second(chance.randint(1, 9))
            )
            for at in range(chance.choice([1, 1, 2, 3]))
        ]
        ask = work.load if chance.random() < 0.6 else work.mutate
        ask(document_id, *actions)
    for document_id in ("d1", "d2"):
        if f"{document_id}-0" not in work.ids:
            work.create(document_id, job_id=f"{document_id}-0")
    return work.jobs


@pytest.mark.seeds(60, each=20)
async def test_random_jobs_end_the_same_wherever_processes_ended(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            chance = random.Random(seed)
            await _many_runs(chance, _drawn(chance))


@pytest.mark.nightly
@pytest.mark.seeds(2_000, each=100)
async def test_very_many_random_jobs_end_the_same(seeds: Seeds) -> None:
    await test_random_jobs_end_the_same_wherever_processes_ended(seeds)
