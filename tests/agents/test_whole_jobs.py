"""What whoever submits a job may rely on, over a log."""

from __future__ import annotations

import asyncio
from typing import Any

from docreactor.agents.node import Node
from docreactor.pipeline.job import Incoming, JobResult, JobStatus, Load
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.problem import problem_name
from docreactor.pipeline.timestamp import Microseconds, parse, render
from tests.support import oracle
from tests.support.ledger import fold
from tests.support.nodes import Site, done, live, operations, site, until

ADD = "ADD"


def _amount(second: float, amount: int) -> StoredAction:
    """An entry dated so many seconds after some moment long ago."""
    since = parse("2024-01-01T00:00:00Z")
    moment = render(Microseconds(since + round(second * 1_000_000)))
    return StoredAction(f"a{amount}", ADD, "global", moment, {"amount": amount})


def _load(job_id: str, *actions: StoredAction, **stood: Any) -> Load:
    brought = tuple(Incoming(action, **stood) for action in actions)
    return Load(f"{job_id}-0", "d1", "main", "global", brought)


def _amounts(node: Node) -> list[int]:
    effective = oracle.effective(operations(node, "d1"))
    return [one.action.input["amount"] for one in effective]


def _error(result: JobResult) -> str | None:
    return None if result.error is None else problem_name(result.error)


async def test_a_job_of_three_actions_has_one_result_and_one_token() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        job = place.job("d1", [(ADD, {"amount": n}) for n in (1, 2, 3)])
        result = await done(node, job)
        assert result.status is JobStatus.READ_READY
        told = [one for one in place.records(place.topics.jobs) if one.key == job.id.encode()]
        assert len(told) == 1
        assert len(place.records(place.topics.operations)) == 5
        assert result.token == (await done(node, job)).token


async def test_a_load_of_known_actions_ends_visible_and_stores_nothing() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        first = await done(node, _load("l1", _amount(1, 1), _amount(2, 2)))
        again = await done(node, _load("l2", _amount(2, 2), _amount(1, 1)))
        assert [first.status, again.status] == [JobStatus.READ_READY] * 2
        assert again.token
        assert len(operations(node, "d1")) == 2


async def test_what_was_too_much_to_move_goes_through_from_its_dead_letter() -> None:
    place = site(reshuffle_rows_max=3)
    late = [_amount(10 + n, n) for n in range(1, 5)]
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, _load("l1", *late))
        refused = await done(node, _load("l2", _amount(0, 9)))
        assert (refused.status, _error(refused)) == (JobStatus.FAILED, "ExcessiveReshuffle")
        assert _amounts(node) == [1, 2, 3, 4]
    (letter,) = place.records(place.topics.dead_letters)
    assert dict(letter.headers)["cause"] == b"ExcessiveReshuffle"

    place.settings = place.settings.model_copy(update={"reshuffle_rows_max": 4})
    async with place.node() as node:
        await place.append(letter.key, letter.value)
        await until(lambda: _amounts(node) == [9, 1, 2, 3, 4])
        await until(lambda: live(node).job("l2-0"))
    other = site()
    async with place.node() as node, other.node() as there:
        await done(there, other.creation("d1"))
        await done(there, _load("l1", *late, _amount(0, 9)))
        hashes = [
            [one.hash for one in oracle.effective(operations(at, "d1"))] for at in (node, there)
        ]
        assert hashes[0] == hashes[1]


async def test_a_hash_that_is_not_that_of_the_same_history_is_a_dead_letter() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        result = await done(node, _load("l1", _amount(1, 1), index=0, hash="of another model"))
        assert (result.status, _error(result)) == (JobStatus.FAILED, "HashMismatch")
        assert operations(node, "d1") == []
        assert len(place.records(place.topics.dead_letters)) == 1
        right = await done(node, place.job("d1", [(ADD, {"amount": 7})]))
        assert right.status is JobStatus.READ_READY


async def test_revision_and_state_are_of_one_moment_at_every_read() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        seen: set[int] = set()
        is_over = False

        async def read() -> None:
            while not is_over:
                shown = live(node).documents.document("d1", "main")
                assert shown is not None
                revision = shown.header.revision.get("global", 0)
                state: Any = shown.state["global"]
                assert state["count"] == revision
                seen.add(revision)
                await asyncio.sleep(0)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            for amount in range(40):
                await done(node, place.job("d1", [(ADD, {"amount": amount})]))
            is_over = True
        assert len(seen) > 2


async def test_a_deletion_holds_for_every_scope_although_its_state_is_cached() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        delete = place.job("d1", [("DELETE_DOCUMENT", {"document_id": "d1"})], scope="document")
        assert (await done(node, delete)).status is JobStatus.READ_READY
        for scope in ("global", "local"):
            late = await done(node, place.job("d1", [(ADD, {"amount": 2})], scope=scope))
            assert _error(late) == "DocumentDeleted"
        assert _amounts(node) == [1]


async def test_what_is_placed_after_a_restart_builds_on_the_same_states() -> None:
    place: Site = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, _load("l1", *[_amount(n, n) for n in range(1, 41)]))
    async with place.node() as node:
        await done(node, _load("l2", _amount(30.5, 99)))
        expected = [*range(1, 31), 99, *range(31, 41)]
        assert _amounts(node) == expected
        shown = live(node).documents.document("d1", "main")
        assert shown is not None
        assert shown.state["global"] == fold(expected).model_dump()
