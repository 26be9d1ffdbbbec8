"""An erased document is gone over HTTP, and says so; what was asked stays for a while."""

from __future__ import annotations

import pytest

from tests.gateway.deployment import TODO_TYPE, one_node, problem_of, several_nodes


async def test_an_erased_document_is_410_wherever_it_is_asked_for() -> None:
    async with one_node() as running:
        await running.create("d", slug="groceries")
        await running.add("d", "Milk")

        erased = await running.http.post("/v1/documents/d/erase?wait=read")

        assert erased.status_code == 200, erased.text
        assert erased.json()["status"] == "READ_READY"
        for call in (
            running.http.get("/v1/documents/d"),
            running.http.get("/v1/documents/d?at=global:0"),
            running.http.get("/v1/documents/d/operations"),
            running.http.get("/v1/documents/d/operations?effective=true"),
            running.http.post("/v1/documents/d/verify"),
            running.http.post(
                "/v1/documents?wait=write", json={"document_type": TODO_TYPE, "id": "d"}
            ),
            running.http.post(
                "/v1/documents/d/actions?wait=write",
                json={"actions": [{"type": "ADD_ITEM", "input": {"text": "Bread"}}]},
            ),
            running.http.delete("/v1/documents/d?wait=write"),
        ):
            assert problem_of(await call) == (410, "DocumentErased")
        assert problem_of(await running.http.get("/v1/documents/groceries")) == (
            404,
            "DocumentNotFound",
        )
        for query in ("ids=d", "slugs=groceries", f"type={TODO_TYPE}"):
            assert (await running.http.get(f"/v1/documents?{query}")).json()["documents"] == []


async def test_the_reply_says_what_is_kept_and_for_how_long() -> None:
    async with one_node(actions_retention_days=5) as running:
        await running.create("d")

        pending = await running.http.post("/v1/documents/d/erase")
        again = await running.http.post("/v1/documents/d/erase?wait=write")

        assert pending.status_code == 202
        assert again.status_code == 200
        for reply in (pending, again):
            notice = reply.json()["notice"]
            assert notice == (
                "the topics actions and dead-letters keep it until their retention, 5 days"
            )
        assert pending.headers["x-docreactor-node"] == running.node.node_id


async def test_what_never_was_cannot_be_erased() -> None:
    async with one_node() as running:
        reply = await running.http.post("/v1/documents/nobody/erase?wait=write")

    assert problem_of(reply) == (404, "DocumentNotFound")


@pytest.mark.parametrize("document_id", ["..", "a%2Fb"])
async def test_an_id_that_none_can_have_is_refused(document_id: str) -> None:
    async with one_node() as running:
        reply = await running.http.post(f"/v1/documents/{document_id}/erase")

    assert reply.status_code in (404, 422)


async def test_any_node_erases_and_knows_what_was_erased() -> None:
    async with several_nodes(2, partitions=4) as nodes:
        ids = [f"d{number}" for number in range(6)]
        for number, document_id in enumerate(ids):
            await nodes[0].create(document_id)
            job = await nodes[number % 2].reactor.erase(document_id, wait="read")
            assert job.notice is not None
        for document_id in ids:
            for running in nodes:
                reply = await running.http.get(f"/v1/documents/{document_id}")
                assert problem_of(reply) == (410, "DocumentErased")
