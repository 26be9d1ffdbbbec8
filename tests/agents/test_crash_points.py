"""A process that ends at any one step of writing loses nothing and doubles nothing."""

from __future__ import annotations

import orjson
import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.job import JobResult, Mutation
from docreactor.pipeline.operation import Operation
from tests.support.deaths import STEPS, TOLD_BY_TIME, die, until_decided
from tests.support.ledger import fold
from tests.support.nodes import Site, live, site
from tests.support.steps import Death, Steps

DOCUMENTS = ("d1", "d2", "d3")
ROUNDS = 3
LARGE = "x" * 2_000


def _site() -> Site:
    """Small batches; what is over the limit is refused, with its whole batch."""
    place = site(batch_jobs_max=4, keyframe_policy="fixed", keyframe_interval=2)
    place.limit(place.topics.operations, len(LARGE))
    return place


def _work(place: Site) -> list[Mutation]:
    """Creations, entries, and one job that no log takes."""
    jobs = [place.creation(document_id) for document_id in DOCUMENTS]
    for amount in range(1, ROUNDS + 1):
        for document_id in DOCUMENTS:
            actions = [("ADD", {"amount": amount}), ("ADD", {"amount": -10 * amount})]
            jobs.append(place.job(document_id, actions))
    refused = place.job("d1", [("ADD", {"amount": 1_000, "note": LARGE})])
    return [*jobs[:6], refused, *jobs[6:]]


def _amounts() -> list[int]:
    return [each for amount in range(1, ROUNDS + 1) for each in (amount, -10 * amount)]


async def _clean_run() -> list[str]:
    """The steps of a process that nothing ends."""
    place, steps = _site(), Steps()
    jobs = _work(place)
    await place.enqueue(*jobs)
    async with place.node(steps) as node:
        await until_decided(node, len(jobs))
        _check(place, node, jobs)
    return steps.taken


async def _finish(place: Site, jobs: list[Mutation]) -> None:
    """A process that nothing ends finds everything as it must be."""
    async with place.node(ready=False) as node:
        await until_decided(node, len(jobs))
        _check(place, node, jobs)


def _check(place: Site, node: Node, jobs: list[Mutation]) -> None:
    """Everything once, in order, and shown as its fold."""
    refused = next(job for job in jobs if job.actions[0].input.get("note") == LARGE)
    results = [JobResult.decode(record.value) for record in place.records(place.topics.jobs)]
    assert [one.id for one in results] == [job.id for job in jobs]
    assert [one.id for one in results if one.error is not None] == [refused.id]
    letters = place.records(place.topics.dead_letters)
    assert [orjson.loads(letter.value)["id"] for letter in letters] == [refused.id]
    stored: dict[tuple[str, str], list[str]] = {}
    for record in place.records(place.topics.operations):
        document_id, scope, _, index = record.key.decode().split("/")
        stream = stored.setdefault((document_id, scope), [])
        operation = Operation.decode(record.value)
        assert operation.index == int(index) == len(stream)
        stream.append(operation.action.id)
    asked: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        if job is not refused:
            ids = [action.id for action in job.actions]
            asked.setdefault((job.document_id, job.scope), []).extend(ids)
    assert stored == asked
    for document_id in DOCUMENTS:
        shown = live(node).documents.document(document_id, "main")
        assert shown is not None
        assert shown.state["global"] == fold(_amounts()).model_dump()
    assert list(live(node).documents.quarantined()) == []


async def test_a_clean_run_takes_every_step_there_is() -> None:
    assert set(await _clean_run()) == set(STEPS)


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_process_may_end_at_any_step(step: str, wiped: bool) -> None:
    deaths, count = 0, (await _clean_run()).count(step)
    for number in range(1, count + 1):
        place, death = _site(), Death(step, number)
        jobs = _work(place)
        await place.enqueue(*jobs)
        await die(place, death)
        deaths += death.happened
        if wiped:
            place.stores.clear()
        await _finish(place, jobs)
    assert deaths == count or (deaths and step in TOLD_BY_TIME)


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
async def test_processes_that_all_end_early_come_to_the_end_together(wiped: bool) -> None:
    place = _site()
    jobs = _work(place)
    await place.enqueue(*jobs)
    deaths = 0
    while True:
        # Each proves itself, commits one batch or one job, and ends in its third transaction.
        death = Death("consumed", 3)
        await die(place, death)
        if not death.happened:
            break
        deaths += 1
        if wiped:
            place.stores.clear()
    assert deaths >= 4
    await _finish(place, jobs)
