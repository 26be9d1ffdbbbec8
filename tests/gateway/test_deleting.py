"""Deletions of several jobs, over real nodes."""

from __future__ import annotations

import asyncio

from docreactor.agents.log import TopicPartition
from docreactor.pipeline.job import JobStatus, Mutation, decode_job
from docreactor.pipeline.position import Offset
from tests.gateway.deployment import TODO_TYPE, Running, one_node, problem_of, several_nodes
from tests.gateway.routes.test_edges import listed, related


async def asked_for(running: Running) -> dict[str, Mutation]:
    """Every mutation on `actions`, by its id."""
    node = running.node
    sources = [TopicPartition(node.topics.actions, one) for one in range(node.partition_count)]
    ends = await node.log.end_offsets(sources)
    reader = await node.log.reader(dict.fromkeys(sources, Offset(0)))
    jobs: dict[str, Mutation] = {}
    left = {source for source, end in ends.items() if end}
    async with asyncio.timeout(10):
        while left:
            for source, batch in (await reader.fetch(count_max=1_000, timeout_ms=10)).items():
                jobs |= {
                    job.id: job
                    for job in (decode_job(record.value or b"") for record in batch.records)
                    if isinstance(job, Mutation)
                }
                left -= {source} if batch.next_offset >= ends[source] else set()
    await reader.close()
    return jobs


async def test_a_deletion_depends_on_the_edges_to_it_and_on_its_childrens(one: Running) -> None:
    token = await related(one, "root child a", "x cites a", "a child b", "a child c", "b child c")
    await one.create("c")
    job = await one.reactor.delete("a", cascade="children", token=token, wait="read")
    jobs = await asked_for(one)

    ours = {one_id: jobs[one_id] for one_id in (*job.jobs, job.id)}
    deletions = {
        mutation.document_id: mutation
        for mutation in ours.values()
        if mutation.actions[0].type == "DELETE_DOCUMENT"
    }

    def needed(document_id: str) -> set[str]:
        waits_for = [ours[one_id] for one_id in deletions[document_id].depends_on]
        return {f"{one.document_id} {one.actions[0].type.partition('_')[0]}" for one in waits_for}

    assert list(deletions) == ["c", "b", "a"]
    assert needed("c") == {"a REMOVE", "b REMOVE"}
    assert needed("b") == {"a REMOVE", "c DELETE"}
    assert needed("a") == {"root REMOVE", "x REMOVE", "b DELETE", "c DELETE"}


async def test_many_edges_of_one_source_are_removed_by_several_jobs(one: Running) -> None:
    token = (await one.create("hub"))["token"]
    for first in range(0, 1_100, 550):
        names = [f"n{number}" for number in range(first, first + 550)]
        token = (await one.reactor.add_children("hub", names, wait="read")).token
    job = await one.reactor.delete("hub", cascade="edges", token=token, wait="read")

    assert (job.status, job.failures) == (JobStatus.READ_READY, [])
    assert len(job.jobs) == 3
    assert await listed(one, "hub", token=job.token) == []


async def test_two_deletions_that_meet_end_both_and_each_document_is_deleted_once(
    one: Running,
) -> None:
    token = await related(one, "x child a", "y child a")
    await one.create("a")
    both = await asyncio.gather(
        *(one.reactor.delete(name, cascade="edges", token=token, wait="read") for name in "xy")
    )

    assert {job.status for job in both} == {JobStatus.READ_READY}
    tokens = [job.token for job in both]
    assert (await one.reactor.parents("a", token=tokens)).ids == []
    assert (await one.reactor.get("a", token=tokens)).header.id == "a"


async def test_a_document_that_nobody_runs_is_not_deleted_by_halves() -> None:
    async with several_nodes(2, mute=1, partitions=2) as (first, second):
        name = next(
            f"d{number}"
            for number in range(100)
            if second.node.local(second.node.partition_of(f"d{number}"))
        )
        url = f"/v1/documents/{name}"
        reply = await first.http.delete(url, params={"cascade": "edges", "timeout_ms": 100})

    assert problem_of(reply) == (503, "Restoring")
    assert "Retry-After" in reply.headers


async def test_a_deletion_with_a_key_is_made_once_also_while_the_first_goes_on() -> None:
    async with one_node() as one:
        await one.create("a")
        children = [f"c{number}" for number in range(20)]
        for child in children:
            await one.reactor.create(TODO_TYPE, id=child, parent="a")
        token = (await one.reactor.add_children("a", children, wait="read")).token
        both = await asyncio.gather(
            *(
                one.reactor.delete(
                    "a", cascade="children", token=token, wait="read", idempotency_key="k"
                )
                for _ in range(2)
            )
        )
        for name in ("a", *children):
            page = await one.reactor.history(name, scope="document")
            assert [one.action.type for one in page.operations].count("DELETE_DOCUMENT") == 1

    assert {job.status for job in both} == {JobStatus.READ_READY}
    assert [job.failures for job in both] == [[], []]
