"""Verification over HTTP: whoever is asked, the owner looks, and every slug is compared."""

from __future__ import annotations

from typing import Any

import orjson

from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.keys import Stream, record_key
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.store import Row
from tests.gateway.deployment import Running, one_node, problem_of, several_nodes
from tests.support.nodes import live


async def verified(running: Running, document_id: str) -> dict[str, Any]:
    reply = await running.http.post(f"/v1/documents/{document_id}/verify")
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def names(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["name"], one["document_id"]) for one in body["findings"]]


def corrupt(running: Running, document_id: str) -> None:
    """A keyframe that is none."""
    part = live(running.node, running.node.partition_of(document_id))
    key = record_key(Stream(document_id, "document", "main"), 1)
    part.tables.write_store.write(keyframe_rows([Row(key, b"{}")]), {}, now_ms=1)


async def test_a_document_that_is_right_has_no_findings() -> None:
    async with one_node() as running:
        await running.create("d")
        await running.add("d", "Milk", "Bread")

        body = await verified(running, "d")

    assert body == {
        "documents": 1,
        "operations": 4,
        "accepted": 0,
        "findings": [],
        "next_cursor": None,
    }


async def test_a_corrupt_keyframe_is_told_and_reads_go_on() -> None:
    async with one_node() as running:
        await running.create("d")
        await running.add("d", "Milk")
        corrupt(running, "d")

        body = await verified(running, "d")

        assert names(body) == [("CorruptKeyframe", "d")]
        assert body["findings"][0]["index"] == 1
        await running.add("d", "Bread")
        assert (await running.reactor.get("d")).state["global"]["items"] == ["Milk", "Bread"]


async def test_a_document_that_does_not_exist_is_not_found() -> None:
    async with one_node() as running:
        reply = await running.http.post("/v1/documents/nobody/verify")

    assert problem_of(reply) == (404, "DocumentNotFound")


async def test_a_partition_is_verified_page_by_page() -> None:
    ids = {f"d{number}" for number in range(9)}
    async with one_node(partitions=2) as running:
        for document_id in ids:
            await running.create(document_id)
        corrupt(running, "d3")
        pages: list[dict[str, Any]] = []
        for partition in range(2):
            cursor: str | None = ""
            while cursor is not None:
                given = {"cursor": cursor} if cursor else {}
                reply = await running.http.post(
                    "/v1/verify", params={"partition": partition, "limit": 2, **given}
                )
                pages.append(reply.json())
                cursor = pages[-1]["next_cursor"]

    assert sum(page["documents"] for page in pages) == len(ids)
    assert sum(page["operations"] for page in pages) == 2 * len(ids)
    assert [name for page in pages for name in names(page)] == [("CorruptKeyframe", "d3")]
    assert all(page["documents"] <= 2 for page in pages)


async def test_a_partition_that_does_not_exist_is_refused() -> None:
    async with one_node(partitions=2) as running:
        reply = await running.http.post("/v1/verify", params={"partition": 2})

    assert problem_of(reply) == (422, "InvalidInput")


async def test_any_node_verifies_a_document_of_another() -> None:
    async with several_nodes(2, partitions=4) as nodes:
        ids = [f"d{number}" for number in range(8)]
        for document_id in ids:
            await nodes[0].create(document_id)
        for document_id in ids:
            for running in nodes:
                body = await verified(running, document_id)
                assert (body["operations"], body["findings"]) == (2, [])


async def test_a_slug_that_answers_another_document_is_told_from_any_node() -> None:
    async with several_nodes(2, partitions=4) as nodes:
        for number in range(6):
            await nodes[0].create(f"d{number}", slug="one")
        await nodes[0].create("other", slug="another")

        for running in nodes:
            behind = [names(await verified(running, f"d{number}")) for number in range(6)]
            assert behind == [[("SlugBehind", f"d{number}")] for number in range(5)] + [[]]
            assert names(await verified(running, "other")) == []
            (finding,) = (await verified(running, "d0"))["findings"]
            assert finding["detail"] == "slug one answers document d5"


async def test_the_client_reads_what_is_wrong() -> None:
    async with one_node() as running:
        await running.create("d")
        corrupt(running, "d")

        verdict = await running.reactor.verify("d")
        page = await running.reactor.verify_partition(running.node.partition_of("d"))

    assert [one.name for one in verdict.findings] == ["CorruptKeyframe"]
    assert page.findings == verdict.findings


async def test_a_document_that_its_model_gives_other_states_is_shown_again_once_accepted() -> None:
    async with one_node(partitions=1) as running:
        await running.create("d")
        await running.add("d", "Milk", "Bread")
        part = live(running.node)
        stream = Stream("d", "global", "main")
        newest = part.operations.head(stream)
        assert newest is not None
        # As if the model had given something else at the last operation.
        stored = orjson.loads(part.operations.get(stream, 1) or b"") | {"hash": "other"}
        content = encode(stored)
        head = part.operations.head_row(stream, newest._replace(previous=digest(content)))
        row = Row(b"o/" + record_key(stream, 1), content)
        part.tables.write_store.write([row, head], {}, now_ms=1)
        part.cache.clear()

        before = await running.reactor.verify("d")
        accepted = await running.reactor.verify("d", accept=True)
        page = await running.reactor.verify_partition(0, accept=True)

        assert [one.name for one in before.findings] == ["HashMismatch"]
        assert (before.accepted, accepted.accepted, page.accepted) == (0, 1, 0)
        assert accepted.findings == page.findings == []
        await running.add("d", "Eggs")
        assert (await running.reactor.get("d")).state["global"]["items"] == [
            "Milk",
            "Bread",
            "Eggs",
        ]
