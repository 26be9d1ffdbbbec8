"""Batches over HTTP: planned, enqueued together or not at all, awaited together."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.errors import JobNotReadyError
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Gate, Running, one_node, problem_of, several_nodes

MILK = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


def creating(document_id: str) -> list[dict[str, Any]]:
    """What creates a todo, as actions."""
    about = {"model": "example/todo", "document_id": document_id}
    upgrade = {**about, "from_version": 0, "to_version": 1}
    return [
        {"type": "CREATE_DOCUMENT", "scope": "document", "input": about},
        {"type": "UPGRADE_DOCUMENT", "scope": "document", "input": upgrade},
    ]


def job(key: str, document_id: str, *depends_on: str, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"key": key, "document_id": document_id, "actions": [MILK]}
    body |= {"depends_on": list(depends_on)} if depends_on else {}
    return body | fields


async def check_nothing_was_enqueued(only: Running) -> None:
    """The first record of the only partition is one that comes now."""
    assert (await only.create("first"))["offset"] == 0


async def test_a_batch_over_several_partitions_is_answered_by_its_keys(one: Running) -> None:
    names = [f"shop-{number}" for number in range(6)]
    jobs = [job(f"create {name}", name, actions=creating(name)) for name in names]
    jobs += [job(f"fill {name}", name, f"create {name}") for name in names]
    partitions = {one.node.partition_of(name) for name in names}
    assert len(partitions) > 1

    reply = await one.http.post("/v1/batches?wait=read", json={"jobs": jobs[::-1]})

    assert reply.status_code == 200, reply.text
    told = reply.json()["jobs"]
    assert list(told) == [one["key"] for one in jobs[::-1]]
    assert {one["status"] for one in told.values()} == {"READ_READY"}
    assert reply.headers[ANSWERED_BY] == "local"
    for name in names:
        assert (await one.reactor.get(name)).state["global"]["items"] == ["Milk"]


async def test_without_wait_it_answers_202_with_jobs_that_are_pending(one: Running) -> None:
    await one.create("shop-1")

    reply = await one.http.post(
        "/v1/batches", json={"jobs": [job("a", "shop-1"), job("b", "shop-1", "a")]}
    )

    assert reply.status_code == 202
    told = reply.json()["jobs"]
    for pending in told.values():
        assert (pending["status"], pending["token"], pending["error"]) == ("PENDING", "", None)
        assert pending["document_id"] == "shop-1"
        assert isinstance(pending["offset"], int)
    assert told["a"]["offset"] < told["b"]["offset"]
    done = await one.reactor.wait(told["b"]["id"])
    assert done.status is JobStatus.READ_READY


async def test_a_job_runs_after_those_that_it_depends_on_also_in_other_partitions() -> None:
    async with one_node(partitions=4) as one:
        await one.create("a")
        await one.create("b")
        await one.create("c")
        assert len({one.node.partition_of(name) for name in "abc"}) > 1
        for _ in range(5):
            jobs = [job("1", "c", "2"), job("2", "b", "3"), job("3", "a")]
            batch = await one.reactor.batch(jobs, wait="write")
            stamps = [(await one.reactor.history(name)).operations[-1].timestamp for name in "abc"]
            assert stamps == sorted(stamps)
            assert {each.status for each in batch.jobs.values()} <= {
                JobStatus.WRITE_READY,
                JobStatus.READ_READY,
            }


async def test_one_that_depends_on_a_failed_job_runs(one: Running) -> None:
    await one.create("shop-1")

    batch = await one.reactor.batch([job("a", "nobody"), job("b", "shop-1", "a")], wait="read")

    failed, done = batch.jobs["a"], batch.jobs["b"]
    assert failed.failure is not None
    assert failed.failure.name() == "DocumentNotFound"
    assert done.status is JobStatus.READ_READY


async def test_each_job_may_have_a_branch_and_a_revision_of_its_own(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-1", branch="draft")

    batch = await one.reactor.batch(
        [
            job("a", "shop-1", branch="draft", expected_revision=0),
            job("b", "shop-1", expected_revision=7),
        ],
        wait="read",
    )

    assert batch.jobs["a"].branch == "draft"
    assert batch.jobs["a"].status is JobStatus.READ_READY
    failure = batch.jobs["b"].failure
    assert failure is not None
    assert failure.name() == "RevisionMismatch"


async def test_operations_are_loaded_after_the_creation_that_they_depend_on(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk", "Bread")
    pages = {
        scope: await one.reactor.history("shop-1", scope=scope) for scope in ("document", "global")
    }
    loads = {
        scope: [operation.model_dump(mode="json") for operation in page.operations]
        for scope, page in pages.items()
    }
    async with one_node() as there:
        jobs = [
            {
                "key": "fill",
                "document_id": "shop-1",
                "operations": loads["global"],
                "depends_on": ["create"],
                "source": "here",
            },
            {"key": "create", "document_id": "shop-1", "operations": loads["document"]},
        ]
        batch = await there.reactor.batch(jobs, wait="read")
        document = await there.reactor.get("shop-1")

    assert {each.status for each in batch.jobs.values()} == {JobStatus.READ_READY}
    assert document.state["global"]["items"] == ["Milk", "Bread"]


WRONG: list[tuple[list[dict[str, Any]], str, dict[str, Any]]] = [
    ([job("a", "d1"), job("a", "d2")], "DuplicateKey", {"key": "a"}),
    ([job("a", "d1", "z")], "UnknownDependency", {"key": "a", "dependency": "z"}),
    ([job("a", "d1", "b"), job("b", "d2", "a")], "DependencyCycle", {}),
    ([job("a", "d1", "a")], "DependencyCycle", {"key": "a"}),
    (
        [job("a", "d1"), job("b", "d2", actions=[])],
        "InvalidInput",
        {"key": "b", "field": "jobs.b.actions"},
    ),
    (
        [job("a", "d1"), job("b", "d2", actions=[MILK, MILK | {"scope": "local"}])],
        "InvalidInput",
        {"key": "b", "field": "jobs.b.actions"},
    ),
    (
        [{"key": "a", "document_id": "d1", "operations": []}],
        "InvalidInput",
        {"key": "a", "field": "jobs.a.operations"},
    ),
    ([{"key": "a", "document_id": "d1"}], "InvalidInput", {"key": "a"}),
    ([job("a", "d1", operations=[])], "InvalidInput", {"key": "a"}),
    ([job("a", "d 1")], "InvalidInput", {"key": "a", "field": "jobs.a.document_id"}),
    ([job("a", "d1", source="x")], "InvalidInput", {"key": "a", "field": "jobs.a.source"}),
    ([job("a", "d1", actions=[MILK | {"scope": "document"}])], "UnknownAction", {"key": "a"}),
    ([], "InvalidInput", {"field": "jobs"}),
]


@pytest.mark.parametrize(("jobs", "name", "facts"), WRONG)
async def test_a_batch_that_cannot_be_is_refused_before_anything_is_enqueued(
    jobs: list[dict[str, Any]], name: str, facts: dict[str, Any]
) -> None:
    async with one_node(partitions=1) as one:
        reply = await one.http.post("/v1/batches", json={"jobs": jobs})

        assert problem_of(reply) == (422, name)
        assert reply.json() | facts == reply.json()
        await check_nothing_was_enqueued(one)


async def test_more_jobs_than_one_transaction_takes_are_refused() -> None:
    async with one_node(partitions=1, batch_jobs_max=2) as one:
        jobs = [job(str(number), f"d{number}") for number in range(3)]
        reply = await one.http.post("/v1/batches", json={"jobs": jobs})
        assert problem_of(reply) == (413, "TooLarge")
        await check_nothing_was_enqueued(one)


async def test_a_batch_sent_twice_with_one_key_is_stored_once(one: Running) -> None:
    for name in ("shop-1", "shop-2"):
        await one.create(name)
    jobs = [job("a", "shop-1"), job("b", "shop-2", "a")]
    bread = {"type": "ADD_ITEM", "input": {"text": "Bread"}}
    jobs.append(job("c", "shop-1", actions=[bread]))

    for _ in range(2):
        await one.reactor.batch(jobs, wait="read", idempotency_key="once")

    assert (await one.reactor.get("shop-1")).state["global"]["items"] == ["Milk", "Bread"]
    assert (await one.reactor.get("shop-2")).state["global"]["items"] == ["Milk"]


async def test_a_wait_that_runs_out_tells_of_every_job() -> None:
    gate = Gate()
    async with one_node(gate, partitions=1) as one:
        await one.create("shop-1")
        gate.shut()
        with pytest.raises(JobNotReadyError) as caught:
            await one.reactor.submit("shop-1", MILK, wait="write", timeout_ms=10)
        reply = await one.http.post(
            "/v1/batches",
            params={"wait": "write", "timeout_ms": 50},
            json={"jobs": [job("a", "shop-1")]},
        )
        gate.open()
        assert caught.value.job.status in (JobStatus.PENDING, JobStatus.RUNNING)
        assert problem_of(reply) == (504, "JobNotReady")
        assert list(reply.json()["jobs"]) == ["a"]
        assert reply.json()["job"] == reply.json()["jobs"]["a"]


async def test_any_node_takes_a_batch_and_waits_where_its_jobs_run() -> None:
    async with several_nodes(2) as (first, second):
        names = [f"d{number}" for number in range(8)]
        for name in names:
            await first.create(name)
        jobs = [job(name, name, *names[:at][-1:]) for at, name in enumerate(names)]
        batch = await second.reactor.batch(jobs, wait="read")
        owners = {first.node.owner(first.node.partition_of(name)) for name in names}

    assert len(owners) == 2
    assert {each.status for each in batch.jobs.values()} == {JobStatus.READ_READY}
