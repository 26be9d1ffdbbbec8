"""One process's agents over one log."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.errors import LogError, ShuttingDownError, TooBusyError
from docreactor.pipeline.job import JobStatus, Mutation
from docreactor.pipeline.keys import partition_for
from tests.support.nodes import (
    LOG_ID,
    Site,
    done,
    live,
    operations,
    site,
    total,
    until,
    until_ready,
)
from tests.support.steps import Gate, Steps

ADD = "ADD"
# One for each of two partitions.
DOCUMENTS = ("d0", "d1")


def _add(place: Site, document_id: str = "d1", amount: int = 1) -> Mutation:
    return place.job(document_id, [(ADD, {"amount": amount})])


async def _finished(nodes: list[Node], job: Mutation) -> None:
    """Submit to the first node; whoever has the partition answers for it."""
    number = nodes[0].partition_of(job.document_id)
    offset = await nodes[0].submit(job)
    (partition,) = (found for node in nodes if (found := node.local(number)))
    result = await partition.wait_job(job.id, offset=offset, until="read", timeout_s=10.0)
    assert result.status is JobStatus.READ_READY


def _serving(node: Node) -> list[bool]:
    return [node.local(one) is not None for one in range(node.partition_count)]


@asynccontextmanager
async def _pair(place: Site, *hooks: Any) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes that have shared two partitions."""
    first, second = hooks or (None, None)
    async with (
        place.node(first, url="http://a", open_store=place.disk("a")) as a,
        place.node(second, url="http://b", open_store=place.disk("b")) as b,
    ):
        await until_ready(a)
        yield a, b


def _shown(node: Node, document_id: str) -> Any:
    partition = live(node, node.partition_of(document_id))
    shown = partition.documents.document(document_id, "main")
    return None if shown is None else shown.state["global"]["total"]


async def test_two_nodes_share_the_partitions() -> None:
    place = site(partitions=2)
    async with _pair(place) as (a, b):
        assert [_serving(a), _serving(b)] == [[True, False], [False, True]]
        await until(lambda: [a.owner(0), a.owner(1)] == ["http://a", "http://b"])
        await until(lambda: [b.owner(0), b.owner(1)] == ["http://a", "http://b"])
        for document_id in DOCUMENTS:
            await _finished([a, b], place.creation(document_id))
            await _finished([b, a], _add(place, document_id))


async def test_who_comes_later_goes_on_with_what_was_written() -> None:
    place = site(partitions=2)
    async with place.node(url="http://a", open_store=place.disk("a")) as a:
        for document_id in DOCUMENTS:
            await _finished([a], place.creation(document_id))
            await _finished([a], _add(place, document_id, 3))
        async with place.node(url="http://b", open_store=place.disk("b")) as b:
            await until_ready(a)
            assert _shown(a, "d0" if a.partition_of("d0") == 0 else "d1") == 3
            assert _shown(b, "d0" if b.partition_of("d0") == 1 else "d1") == 3
            for document_id in DOCUMENTS:
                await _finished([a, b], _add(place, document_id, 4))
        # The second has left: the first has all of it again, with what the second wrote.
        await until(lambda: _serving(a) == [True, True])
        assert [_shown(a, document_id) for document_id in DOCUMENTS] == [7, 7]


async def test_what_keeps_a_partition_too_long_loses_it() -> None:
    place, gate = site(partitions=2, rebalance_timeout_ms=1_000), Gate("commit")
    async with place.node(gate, url="http://a", open_store=place.disk("a")) as a:
        mine = "d0" if a.partition_of("d0") == 1 else "d1"
        await _finished([a], place.creation(mine))
        gate.shut()
        job = _add(place, mine, 5)
        await a.submit(job)
        await gate.reached.wait()
        async with place.node(url="http://b", open_store=place.disk("b")) as b:
            # The transaction that never ended was ended by the next owner, and decided again.
            partition = live(b, 1)
            result = await partition.wait_job(job.id, offset=None, until="read", timeout_s=10.0)
            assert result.error is None
            assert _shown(b, mine) == 5
            gate.open()
            await until_ready(a)
            await _finished([a, b], _add(place, mine, 6))
            assert _shown(b, mine) == 11


async def test_a_node_without_a_partition_is_ready() -> None:
    place = site(partitions=1)
    async with _pair(place) as (a, b):
        assert [_serving(a), _serving(b)] == [[True], [False]]
        assert b.ready()


async def test_a_node_that_left_owns_nothing() -> None:
    place = site()
    async with place.node(url="http://a") as a:
        assert a.owner(0) == "http://a"
    async with place.node(url="http://b", ready=False) as b:
        seen: list[str | None] = []
        while not b.ready():
            seen.append(b.owner(0))
            await asyncio.sleep(0)
        assert "http://a" not in seen
        assert b.owner(0) == "http://b"


async def test_nobody_is_known_to_own_what_was_never_assigned() -> None:
    place = site()
    async with place.node(ready=False) as node:
        assert node.owner(0) is None
        assert not node.ready()
        assert node.local(0) is None
        assert node.restoring(0).facts == {
            "partition": 0,
            "state": "unassigned",
            "progress": None,
        }


async def test_closing_finishes_the_transaction_in_flight() -> None:
    place = site()
    gate = Gate("commit")
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(place.node(gate))
        await done(node, place.creation("d1"))
        gate.shut()
        await place.enqueue(_add(place))
        await until(lambda: gate.taken[-2:] == ["consumed", "commit"])
        closing = asyncio.create_task(stack.pop_all().aclose())
        # Everything but the commit has come to its end.
        await until(lambda: node.local(0) is None)
        gate.open()
        await closing
    async with place.node() as node:
        assert await total(node, "d1") == 1
    assert "abort" not in gate.taken


async def test_a_clean_end_is_not_held_against_a_batch() -> None:
    place = site()
    steps = Steps()
    for _ in range(4):
        async with place.node(steps):
            pass
    jobs = [place.creation("d1"), _add(place), _add(place)]
    await place.enqueue(*jobs)
    steps.taken.clear()
    async with place.node(steps) as node:
        await live(node).wait_job(jobs[-1].id, offset=None, until="write", timeout_s=10.0)
    assert steps.taken.count("send") == 1


async def test_a_job_is_on_the_log_when_its_offset_is_returned() -> None:
    place = site()
    async with place.node() as node:
        offsets = [await node.submit(place.creation(f"d{at}")) for at in range(3)]
        assert offsets == [0, 1, 2]
        keys = [record.key for record in place.records(place.topics.actions)]
        assert keys == [b"d0", b"d1", b"d2"]


async def test_a_job_goes_to_the_partition_of_its_document() -> None:
    place = site(partitions=2)
    async with place.node() as node:
        for document_id in DOCUMENTS:
            number = node.partition_of(document_id)
            assert number == partition_for(document_id, 2)
            await _finished([node], place.creation(document_id))
            source = place.source(place.topics.operations, number)
            assert place.cluster.partition(source).end == 3


async def test_a_partition_that_is_behind_takes_no_more() -> None:
    place, gate = site(backlog_records_max=3), Gate("commit")
    async with place.node(gate) as node:
        await done(node, place.creation("d1"))
        gate.shut()
        for _ in range(5):
            await node.submit(_add(place))
        with pytest.raises(TooBusyError) as caught:
            await node.submit(_add(place))
        assert caught.value.facts == {"backlog": 4, "limit": 3}
        gate.open()
        await until(lambda: len(operations(node, "d1")) == 5)
        await done(node, _add(place))


async def test_a_backlog_at_another_node_counts_too() -> None:
    place, gate = site(partitions=1, backlog_records_max=3), Gate("commit")
    async with _pair(place, gate, None) as (a, b):
        await _finished([a], place.creation("d1"))
        await until(lambda: [row["next_offset"] for row in b.positions()][:1] == [1])
        gate.shut()
        for _ in range(5):
            await b.submit(_add(place))
        with pytest.raises(TooBusyError):
            await b.submit(_add(place))
        gate.open()


async def test_before_it_is_connected_it_takes_no_job() -> None:
    place = site()
    async with place.node(ready=False) as node:
        with pytest.raises(LogError, match="not connected"):
            await node.submit(place.creation("d1"))


async def test_from_the_moment_that_it_stops_it_takes_no_job_and_finishes_those_it_has() -> None:
    place, gate = site(), Gate("commit")
    async with place.node(gate) as node:
        await done(node, place.creation("d1"))
        gate.shut()
        job = _add(place)
        await node.submit(job)
        await gate.reached.wait()
        node.stop()
        node.stop()
        assert node.is_stopping
        with pytest.raises(ShuttingDownError):
            await node.submit(_add(place))
        with pytest.raises(ShuttingDownError):
            await node.submit_together([_add(place), _add(place)])
        gate.open()
    async with place.node() as node:
        assert not node.is_stopping
        waiting = live(node).wait_job(job.id, offset=None, until="read", timeout_s=10.0)
        assert (await waiting).status is JobStatus.READ_READY
    assert len(place.records(place.topics.actions)) == 2


async def test_ids_grow_and_time_is_now() -> None:
    place = site()
    async with place.node() as node:
        ids = [node.mint() for _ in range(100)]
        assert ids == sorted(set(ids))
        assert node.now_us() <= node.now_us()
        assert (node.log_id, node.url, node.node_id) == (LOG_ID, "http://here", "node-1")
        assert node.registry.model("test/ledger") is place.models[0]
        assert node.settings is place.settings


async def test_what_its_caller_raises_comes_out_and_nothing_is_left_running() -> None:
    place = site()
    with pytest.raises(ExceptionGroup) as caught:
        async with place.node() as node:
            await done(node, place.creation("d1"))
            raise RuntimeError("the caller's own")
    assert caught.group_contains(RuntimeError, match="the caller's own")
    assert len(asyncio.all_tasks()) == 1
    assert not place.cluster.groups["test-reactor"].has_members
