"""What became of a job, over HTTP."""

from __future__ import annotations

import pytest

from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.errors import JobCancelledError, JobNotCancellableError
from docreactor.pipeline.job import JobStatus
from tests.gateway.deployment import Running, problem_of, several_nodes

ADD = {"type": "ADD_ITEM", "input": {"text": "Milk"}}


async def test_a_job_is_told_by_its_id(one: Running) -> None:
    job = await one.create("shop-1")

    reply = await one.http.get(f"/v1/jobs/{job['id']}")

    assert reply.status_code == 200
    assert reply.json() == job | {"status": "READ_READY"}
    assert reply.headers[ANSWERED_BY] == "local"


async def test_a_job_can_be_awaited_after_its_reply(one: Running) -> None:
    body = {"document_type": "example/todo", "id": "shop-1"}
    pending = (await one.http.post("/v1/documents", json=body)).json()

    job = (await one.http.get(f"/v1/jobs/{pending['id']}", params={"wait": "read"})).json()

    assert pending["status"] == "PENDING"
    assert job["status"] == "READ_READY"
    assert job["token"] != ""
    assert job["offset"] == pending["offset"]


async def test_a_failed_job_is_told_with_200_awaited_or_not(one: Running) -> None:
    action = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
    reply = await one.http.post("/v1/documents/nobody/actions", json={"actions": [action]})
    job_id = reply.json()["id"]

    awaited = await one.http.get(f"/v1/jobs/{job_id}", params={"wait": "read"})
    told = await one.http.get(f"/v1/jobs/{job_id}")

    for reply in (awaited, told):
        assert reply.status_code == 200
        assert reply.json()["status"] == "FAILED"
        assert reply.json()["error"]["title"] == "DocumentNotFound"
        assert reply.json()["token"] == ""


async def test_an_id_of_no_job_is_not_found(one: Running) -> None:
    for job_id in ("nobody-1", "nobody", "01981c0e-7d4f-7000-8000-000000000000-99"):
        reply = await one.http.get(f"/v1/jobs/{job_id}")
        assert problem_of(reply) == (404, "JobNotFound")


async def test_any_node_tells_of_every_job() -> None:
    async with several_nodes(2) as (first, second):
        jobs = [await first.create(f"d{number}") for number in range(6)]
        replies = [await second.http.get(f"/v1/jobs/{job['id']}?wait=read") for job in jobs]

    assert [reply.json()["status"] for reply in replies] == ["READ_READY"] * 6
    assert {reply.headers[ANSWERED_BY] for reply in replies} == {"local", "forwarded"}


def waiting_for(job_id: str) -> dict[str, object]:
    """A job that runs when this one has ended."""
    action = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
    return {"actions": [action], "depends_on": [job_id]}


def nobodys(one: Running, document_id: str) -> str:
    """The id of a job that nobody has ever asked for, of another partition than the document's."""
    count, own = one.node.partition_count, one.node.partition_of(document_id)
    return f"{one.node.mint()}-{(own + 1) % count}"


async def test_a_deferred_job_is_pending_and_is_cancelled(one: Running) -> None:
    await one.create("shop-1")
    body = waiting_for(nobodys(one, "shop-1"))
    job = (await one.http.post("/v1/documents/shop-1/actions", json=body)).json()
    late = await one.http.get(f"/v1/jobs/{job['id']}", params={"wait": "write", "timeout_ms": 100})
    pending = (await one.http.get(f"/v1/jobs/{job['id']}")).json()

    cancelled = await one.http.post(f"/v1/jobs/{job['id']}/cancel", params={"wait": "write"})

    assert problem_of(late) == (504, "JobNotReady")
    assert pending == job
    assert cancelled.status_code == 200
    assert cancelled.json()["status"] == "FAILED"
    assert cancelled.json()["error"]["title"] == "JobCancelled"
    assert cancelled.headers[ANSWERED_BY] == "local"
    assert (await one.http.get(f"/v1/jobs/{job['id']}")).json() == cancelled.json()
    assert (await one.reactor.get("shop-1")).state["global"]["items"] == []


async def test_a_cancellation_without_wait_answers_202_while_it_is_on_its_way(
    one: Running,
) -> None:
    await one.create("shop-1")
    body = waiting_for(nobodys(one, "shop-1"))
    job = (await one.http.post("/v1/documents/shop-1/actions", json=body)).json()

    reply = await one.http.post(f"/v1/jobs/{job['id']}/cancel")

    assert (reply.status_code, reply.json()) == (202, job)
    failure = (await one.reactor.wait(job["id"])).failure
    assert isinstance(failure, JobCancelledError)


async def test_what_is_not_deferred_is_not_cancelled(one: Running) -> None:
    job = await one.create("shop-1")

    reply = await one.http.post(f"/v1/jobs/{job['id']}/cancel")
    unknown = await one.http.post(f"/v1/jobs/{one.node.mint()}-0/cancel")

    assert problem_of(reply) == (409, "JobNotCancellable")
    assert reply.json()["job_status"] == "READ_READY"
    assert problem_of(unknown) == (404, "JobNotFound")


async def test_any_node_cancels_and_awaits_a_deferred_job() -> None:
    async with several_nodes(2) as (first, second):
        await first.create("shop-1")
        first_job = await first.reactor.submit("shop-1", ADD, depends_on=[nobodys(first, "shop-1")])
        behind = await second.reactor.submit("shop-1", ADD)
        for node in (first, second):
            assert (await node.reactor.job(behind.id)).status is JobStatus.PENDING
        cancelled = await second.reactor.cancel(first_job, wait="write")
        done = await second.reactor.wait(behind)
        with pytest.raises(JobNotCancellableError):
            await second.reactor.cancel(behind)

    assert isinstance(cancelled.failure, JobCancelledError)
    assert done.status is JobStatus.READ_READY


@pytest.mark.parametrize("job_id", ["nobody", "j-99", "", "a b-1"])
async def test_a_dependency_that_can_be_no_job_is_refused(one: Running, job_id: str) -> None:
    reply = await one.http.post("/v1/documents/shop-1/actions", json=waiting_for(job_id))

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == "depends_on.0"


async def test_a_create_may_wait_for_a_job_too(one: Running) -> None:
    first = await one.create("shop-1")
    body = {"document_type": "example/todo", "id": "shop-2", "depends_on": [first["id"]]}
    reply = await one.http.post("/v1/documents?wait=read", json=body)

    assert reply.json()["status"] == "READ_READY"
