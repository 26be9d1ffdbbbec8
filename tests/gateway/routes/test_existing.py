"""Which of many documents there are, over HTTP."""

from __future__ import annotations

from docreactor.gateway.reach import ANSWERED_BY, NODE, POSITION
from docreactor.pipeline.position import Position
from tests.gateway.deployment import Running, problem_of, several_nodes


async def exists(running: Running, *ids: str, **parameters: str) -> list[bool]:
    reply = await running.http.get("/v1/exists", params={"ids": ",".join(ids), **parameters})
    assert reply.status_code == 200, reply.text
    found: list[bool] = reply.json()["exists"]
    return found


async def test_each_id_is_answered_in_the_order_asked(one: Running) -> None:
    for document_id in ("a", "b", "c"):
        await one.create(document_id)
    await one.http.delete("/v1/documents/b", params={"wait": "read"})

    assert await exists(one, "c", "nobody", "a", "b", "c") == [True, False, True, False, True]


async def test_no_ids_are_no_answers(one: Running) -> None:
    assert await exists(one) == []
    assert (await one.http.get("/v1/exists")).json() == {"exists": []}


async def test_a_document_is_there_on_the_branches_that_it_has(one: Running) -> None:
    await one.create("a", branch="draft")

    assert await exists(one, "a") == [False]
    assert await exists(one, "a", branch="draft") == [True]


async def test_ids_that_cannot_be_and_too_many_are_refused(one: Running) -> None:
    wrong = await one.http.get("/v1/exists", params={"ids": "a b"})
    many = await one.http.get("/v1/exists", params={"ids": ",".join(["a"] * 1_001)})

    assert problem_of(wrong) == (422, "InvalidInput")
    assert problem_of(many) == (413, "TooLarge")
    assert many.json()["limit"] == 1_000


async def test_every_owner_is_asked_for_what_a_token_asks_for() -> None:
    async with several_nodes(2) as (first, second):
        created = [f"d{number}" for number in range(8)]
        tokens = [(await first.create(one))["token"] for one in created]
        parameters = {"ids": ",".join([*created, "nobody"]), "token": ",".join(tokens)}
        reply = await second.http.get("/v1/exists", params=parameters)

    assert reply.json()["exists"] == [True] * 8 + [False]
    assert reply.headers[ANSWERED_BY] == "gathered"
    assert reply.headers[NODE] == second.node.node_id
    log_id = first.node.log_id
    reached = Position.parse(reply.headers[POSITION], log_id=log_id)
    assert all(reached.reached(Position.parse(token, log_id=log_id)) for token in tokens)
