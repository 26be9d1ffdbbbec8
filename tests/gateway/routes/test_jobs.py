"""What became of a job, over HTTP."""

from __future__ import annotations

from docreactor.gateway.reach import ANSWERED_BY
from tests.gateway.deployment import Running, problem_of, several_nodes


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
