"""A document's branches, over HTTP."""

from __future__ import annotations

from typing import Any

from docreactor.gateway.reach import ANSWERED_BY, POSITION
from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.problem import problem
from tests.gateway.deployment import Running, problem_of, several_nodes
from tests.gateway.test_mutations import of_the_other


async def branches(running: Running, document_id: str, **parameters: Any) -> Any:
    reply = await running.http.get(f"/v1/documents/{document_id}/branches", params=parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def test_every_branch_is_told_with_its_header_also_where_it_was_deleted(one: Running) -> None:
    await one.create("a", name="first")
    await one.create("a", branch="draft", name="second", slug="home")
    await one.create("a-b", branch="other")
    await one.http.delete("/v1/documents/a", params={"wait": "read"})

    page = await branches(one, "a")

    headers = page["branches"]
    assert [(header["branch"], header["name"]) for header in headers] == [
        ("draft", "second"),
        ("main", "first"),
    ]
    assert [header["is_deleted"] for header in headers] == [False, True]
    assert headers[0]["revision"] == {"document": 2}
    assert page["next_cursor"] is None


async def test_branches_are_listed_page_by_page(one: Running) -> None:
    names = ["b1", "b2", "b3", "main"]
    for name in names:
        await one.create("a", branch=name)

    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await branches(one, "a", limit=3, **cursor)
        found += [header["branch"] for header in page["branches"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert found == names


async def test_what_is_not_there_any_more_or_was_set_aside_says_so(one: Running) -> None:
    await one.create("gone")
    await one.http.post("/v1/documents/gone/erase", params={"wait": "read"})
    await one.create("aside")
    live = one.node.local(one.node.partition_of("aside"))
    assert live is not None
    stage = live.documents.stage()
    reason = HashMismatchError("aside", key="k", expected="x", actual="y")
    stage.quarantine("aside", problem(reason))
    live.documents.store.write(stage.rows(), {}, now_ms=0)

    said = {
        document_id: problem_of(await one.http.get(f"/v1/documents/{document_id}/branches"))
        for document_id in ("nobody", "gone", "aside")
    }
    assert said == {
        "nobody": (404, "DocumentNotFound"),
        "gone": (410, "DocumentErased"),
        "aside": (reason.status, "HashMismatch"),
    }


async def test_a_cursor_of_something_else_is_refused(one: Running) -> None:
    reply = await one.http.get("/v1/documents/a/branches", params={"cursor": "!"})

    assert problem_of(reply) == (422, "InvalidInput")


async def test_any_node_tells_them_as_new_as_a_token() -> None:
    async with several_nodes(2) as (first, second):
        document_id = of_the_other(first, second)
        token = (await second.create(document_id, branch="draft"))["token"]
        reply = await first.http.get(
            f"/v1/documents/{document_id}/branches", params={"token": token}
        )

    assert [header["branch"] for header in reply.json()["branches"]] == ["draft"]
    assert reply.headers[ANSWERED_BY] == "forwarded"
    assert reply.headers[POSITION]
