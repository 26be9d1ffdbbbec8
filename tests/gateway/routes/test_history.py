"""A document's history over HTTP."""

from __future__ import annotations

from typing import Any

from docreactor.gateway.reach import POSITION
from tests.gateway.deployment import Running, problem_of


async def history(running: Running, **parameters: Any) -> Any:
    reply = await running.http.get("/v1/documents/shop-1/operations", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def indexes(page: Any) -> list[int]:
    return [operation["index"] for operation in page["operations"]]


async def test_history_tells_stored_operations_in_order_errored_ones_too(one: Running) -> None:
    await one.create("shop-1")
    job = await one.add("shop-1", "Milk", "Milk", wait="write")

    page = await history(one, token=job["token"])

    assert page["next_cursor"] is None
    first, second = page["operations"]
    assert set(first) == {
        "id",
        "index",
        "skip",
        "timestamp",
        "hash",
        "previous",
        "error",
        "action",
    }
    assert set(first["action"]) == {"id", "type", "scope", "timestamp", "input", "context"}
    assert (first["index"], first["skip"], first["error"]) == (0, 0, None)
    assert first["action"]["input"] == {"text": "Milk"}
    assert second["error"] == "ValueError: 'Milk' is on the list already"
    assert second["hash"] == first["hash"]


async def test_the_document_scope_has_a_history_of_its_own(one: Running) -> None:
    await one.create("shop-1")

    page = await history(one, scope="document")

    types = [operation["action"]["type"] for operation in page["operations"]]
    assert types == ["CREATE_DOCUMENT", "UPGRADE_DOCUMENT"]


async def test_since_is_exclusive_and_a_cursor_leads_on(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", *"abcdefg")

    assert indexes(await history(one, since=4)) == [5, 6]
    first = await history(one, limit=3)
    second = await history(one, limit=3, cursor=first["next_cursor"])
    third = await history(one, limit=3, cursor=second["next_cursor"])

    assert [indexes(page) for page in (first, second, third)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert third["next_cursor"] is None


async def test_types_and_times_narrow_it_and_times_are_inclusive(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "a", "b", "c")
    done = [{"type": "COMPLETE_ITEM", "input": {"text": "b"}}]
    await one.http.post("/v1/documents/shop-1/actions?wait=read", json={"actions": done})
    every = (await history(one))["operations"]

    assert indexes(await history(one, types="COMPLETE_ITEM,REMOVE_ITEM")) == [3]
    between = {"from": every[1]["timestamp"], "to": every[2]["timestamp"]}
    assert indexes(await history(one, **between)) == [1, 2]


async def test_the_history_of_a_deleted_document_stays_readable(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})

    assert indexes(await history(one)) == [0]
    assert indexes(await history(one, scope="document")) == [0, 1, 2]


async def test_an_unknown_document_has_no_history(one: Running) -> None:
    reply = await one.http.get("/v1/documents/shop-1/operations")

    assert problem_of(reply) == (404, "DocumentNotFound")
    assert reply.headers[POSITION].startswith(one.node.log_id)


async def test_a_scope_without_operations_has_an_empty_history(one: Running) -> None:
    await one.create("shop-1")

    page = await history(one, scope="local")

    assert page == {"operations": [], "next_cursor": None}


async def test_a_query_that_cannot_be_is_refused_by_field(one: Running) -> None:
    for parameters, field in (
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"since": "x"}, "since"),
        ({"scope": "a/b"}, "scope"),
        ({"cursor": "x"}, "cursor"),
        ({"effective": "maybe"}, "effective"),
        ({"timeout_ms": 300_001}, "timeout_ms"),
    ):
        reply = await one.http.get("/v1/documents/shop-1/operations", params=parameters)
        assert problem_of(reply) == (422, "InvalidInput")
        assert reply.json()["field"] == field


async def test_a_time_that_is_none_is_refused(one: Running) -> None:
    parameters = {"from": "yesterday"}
    reply = await one.http.get("/v1/documents/shop-1/operations", params=parameters)

    assert problem_of(reply) == (422, "InvalidOperationTimestamp")


async def test_the_effective_history_is_in_the_order_of_time(one: Running) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    later = [
        {"type": "ADD_ITEM", "input": {"text": text}, "timestamp": f"2024-06-0{day}T00:00:00Z"}
        for day, text in enumerate("ab", 1)
    ]
    await one.http.post("/v1/documents/shop-1/actions?wait=read", json={"actions": later})
    undo = {"type": "UNDO", "input": {}, "timestamp": "2024-06-03T00:00:00Z"}
    await one.http.post("/v1/documents/shop-1/actions?wait=read", json={"actions": [undo]})
    between = later[0] | {"timestamp": "2024-06-01T12:00:00Z"} | {"input": {"text": "c"}}
    await one.http.post("/v1/documents/shop-1/actions?wait=read", json={"actions": [between]})

    stored = await history(one)
    effective = await history(one, effective=True)
    first = await history(one, effective=True, limit=2)
    rest = await history(one, effective=True, limit=2, cursor=first["next_cursor"])
    markers = await history(one, effective=True, types="UNDO")

    assert indexes(stored) == [0, 1, 2, 3, 4, 5]
    assert indexes(effective) == [0, 3, 4, 5]
    assert [one["action"]["input"] for one in effective["operations"]] == [
        {"text": "a"},
        {"text": "c"},
        {"text": "b"},
        {},
    ]
    times = [one["timestamp"] for one in effective["operations"]]
    assert times == sorted(times)
    assert [one["skip"] for one in stored["operations"]] == [0, 0, 0, 2, 0, 0]
    assert (indexes(first), indexes(rest), rest["next_cursor"]) == ([0, 3], [4, 5], None)
    assert indexes(await history(one, effective=True, since=3)) == [4, 5]
    assert indexes(markers) == [5]
    assert set(effective["operations"][0]) == set(stored["operations"][0])


async def test_the_latest_time_of_a_document_is_the_greatest_of_all_its_operations(
    one: Running,
) -> None:
    await one.create("shop-1", timestamp="2024-05-01T12:00:00Z")
    for text, day, scope in (("a", 9, "global"), ("b", 3, "global"), ("c", 5, "local")):
        action = {
            "type": "ADD_ITEM",
            "scope": scope,
            "input": {"text": text},
            "timestamp": f"2024-06-0{day}T00:00:00Z",
        }
        await one.http.post("/v1/documents/shop-1/actions?wait=read", json={"actions": [action]})

    header = (await one.http.get("/v1/documents/shop-1")).json()["header"]
    assert header["last_modified_at"] == "2024-06-09T00:00:00.000000Z"
    assert header["revision"] == {"document": 2, "global": 3, "local": 1}
