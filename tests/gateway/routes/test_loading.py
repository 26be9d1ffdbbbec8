"""Loads over HTTP: what a history tells is taken verbatim, what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.reach import ANSWERED_BY
from tests.gateway.deployment import TODO_TYPE, Running, one_node, problem_of, several_nodes

LOAD = "/v1/documents/shop-1/operations"
WAIT = {"wait": "read"}
FAR = "2999-01-01T00:00:00Z"


def adding(text: str, second: int = 0, **action: Any) -> dict[str, Any]:
    """An operation that adds an item."""
    given = {
        "id": f"a-{text}",
        "type": "ADD_ITEM",
        "scope": "global",
        "timestamp": f"2024-06-01T00:00:{second:02d}Z",
        "input": {"text": text},
    }
    return {"action": given | action}


async def load(running: Running, *operations: Any, **parameters: Any) -> Any:
    reply = await running.http.post(
        LOAD, params=WAIT | parameters, json={"operations": list(operations)}
    )
    assert reply.status_code == 200, reply.text
    return reply.json()


async def history(running: Running, scope: str, **parameters: Any) -> list[dict[str, Any]]:
    reply = await running.http.get(LOAD, params={"scope": scope, **parameters})
    assert reply.status_code == 200, reply.text
    operations: list[dict[str, Any]] = reply.json()["operations"]
    return operations


async def items(running: Running) -> Any:
    document = (await running.http.get("/v1/documents/shop-1")).json()
    return document["state"]["global"]["items"]


async def test_what_history_tells_is_loaded_elsewhere_verbatim() -> None:
    async with one_node() as here, one_node() as there:
        await here.create("shop-1", name="Shop")
        await here.add("shop-1", "Milk", "Milk", "Bread")
        undo = {"actions": [{"type": "UNDO", "input": {}}]}
        await here.http.post("/v1/documents/shop-1/actions", params=WAIT, json=undo)
        for scope in ("document", "global"):
            job = await load(there, *await history(here, scope))
            assert (job["scope"], job["status"]) == (scope, "READ_READY")

        for scope in ("document", "global"):
            assert await history(there, scope) == await history(here, scope)
        assert await items(there) == await items(here) == ["Milk"]


async def test_loading_twice_stores_once(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    await load(one, adding("a"), adding("b", 1))
    again = await load(one, adding("a"), adding("b", 1))

    assert (again["status"], again["error"]) == ("READ_READY", None)
    assert len(await history(one, "global")) == 2


async def test_a_load_finds_its_place_by_time_also_far_in_the_future(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    await load(one, adding("c", 3), adding("z", timestamp=FAR))
    await load(one, adding("b", 2) | {"index": 700, "skip": 3, "hash": "x"}, adding("a", 1))

    assert await items(one) == ["a", "b", "c", "z"]


async def test_a_time_gets_its_six_digits(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    await load(one, adding("a", timestamp="2024-06-01T00:00:00.5Z"))

    (stored,) = await history(one, "global")
    assert stored["timestamp"] == stored["action"]["timestamp"] == "2024-06-01T00:00:00.500000Z"


async def test_what_the_model_does_not_take_is_an_operation_with_its_error(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    await load(one, adding("a", type="SING"), adding("b", 1, input={"text": 3}), adding("c", 2))

    errors = [operation["error"] for operation in await history(one, "global")]
    assert [error and error.partition(":")[0] for error in errors] == [
        "UnknownAction",
        "InvalidInput",
        None,
    ]
    assert await items(one) == ["c"]


@pytest.mark.parametrize(
    ("operations", "refusal", "field"),
    [
        ([], (422, "InvalidInput"), "operations"),
        ([adding("a"), adding("b", scope="local")], (422, "InvalidInput"), "operations"),
        ([adding("a", scope="a/b")], (422, "InvalidInput"), "operations.0.scope"),
        ([adding("a"), adding("b", id="a b")], (422, "InvalidInput"), "operations.1.action.id"),
        ([adding("a", id="")], (422, "InvalidInput"), "operations.0.action.id"),
        ([adding("a", type="")], (422, "InvalidInput"), "operations.0.action.type"),
        ([adding("a", mood="glad")], (422, "InvalidInput"), "operations.0.action.mood"),
        ([adding("a") | {"mood": "glad"}], (422, "InvalidInput"), "operations.0.mood"),
        ([adding("a") | {"index": -1}], (422, "InvalidInput"), "operations.0.index"),
        ([adding("a") | {"index": "3"}], (422, "InvalidInput"), "operations.0.index"),
        ([adding("a", timestamp="yesterday")], (422, "InvalidOperationTimestamp"), None),
        ([adding("a", timestamp="2024-02-30T00:00:00Z")], (422, "InvalidOperationTimestamp"), None),
        ([adding("a", timestamp=None)], (422, "InvalidInput"), "operations.0.action.timestamp"),
        ([{}], (422, "InvalidInput"), "operations.0.action"),
        (3, (422, "InvalidInput"), "operations"),
        (
            [adding("a", type="CREATE_DOCUMENT", scope="document", input={"model": "no/model"})],
            (422, "UnknownModel"),
            None,
        ),
    ],
)
async def test_a_load_that_cannot_be_is_refused_without_a_job(
    one: Running, operations: Any, refusal: tuple[int, str], field: str | None
) -> None:
    reply = await one.http.post(LOAD, json={"operations": operations})

    assert problem_of(reply) == refusal
    assert "job" not in reply.json()
    if field is not None:
        assert reply.json()["field"] == field


async def test_what_stands_beside_the_operations_is_checked_too(one: Running) -> None:
    for body, field in (
        ({"operations": [adding("a")], "branch": "a b"}, "branch"),
        ({"operations": [adding("a")], "source": "a b"}, "source"),
        ({"operations": [adding("a")], "mood": "glad"}, "mood"),
        ([], "body"),
    ):
        reply = await one.http.post(LOAD, json=body)
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == field
    bad_id = await one.http.post("/v1/documents/a b/operations", json={"operations": []})
    assert problem_of(bad_id) == (422, "InvalidInput")


async def test_a_load_over_a_limit_is_refused_naming_it() -> None:
    async with one_node(action_bytes_max=400, job_bytes_max=2_000, job_actions_max=10) as one:
        for operations, limit in (
            ([adding("x" * 400, id="a-1")], 400),
            ([adding("x" * 200, id=f"a-{number}") for number in range(8)], 2_000),
            ([adding("x", id=f"a-{number}") for number in range(11)], 10),
        ):
            reply = await one.http.post(LOAD, json={"operations": operations})
            assert problem_of(reply) == (413, "TooLarge")
            assert reply.json()["limit"] == limit


async def test_an_id_known_with_other_content_fails_the_whole_load(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    await load(one, adding("a"))
    body = {"operations": [adding("b"), adding("a", timestamp="2024-06-01T00:00:09Z")]}
    reply = await one.http.post(LOAD, params=WAIT, json=body)

    assert problem_of(reply) == (409, "ActionIdConflict")
    assert len(await history(one, "global")) == 1


async def test_a_load_is_taken_by_any_node_and_done_by_the_owner() -> None:
    async with several_nodes(2) as (first, second):
        answered: set[str] = set()
        for number in range(8):
            body = {"document_type": TODO_TYPE, "id": f"d{number}"}
            await first.http.post("/v1/documents", params=WAIT, json=body)
            reply = await second.http.post(
                f"/v1/documents/d{number}/operations",
                params=WAIT,
                headers={"Idempotency-Key": "k"},
                json={"operations": [adding("a", timestamp=FAR)], "source": "berlin"},
            )
            assert reply.status_code == 200, reply.text
            answered.add(reply.headers[ANSWERED_BY])

    assert answered == {"local", "forwarded"}
