"""Deletion over HTTP, alone and with what depends on the document."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import pytest

from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.position import Position
from tests.gateway.deployment import Gate, Running, one_node, problem_of, several_nodes
from tests.gateway.routes.test_edges import listed, related

WAIT = {"wait": "read"}


async def delete(running: Running, document_id: str, key: str = "", **query: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return await running.http.delete(f"/v1/documents/{document_id}", params=query, headers=headers)


async def shown(running: Running, *job_ids: str) -> str:
    """The token of jobs once reads show them."""
    return ",".join([(await running.reactor.wait(one)).token for one in job_ids])


async def alive(running: Running, *document_ids: str, token: str) -> list[str]:
    """Which of these are not deleted."""
    found = []
    for document_id in document_ids:
        reply = await running.http.get(f"/v1/documents/{document_id}", params={"token": token})
        assert reply.status_code in (200, 410), reply.text
        found += [document_id] if reply.status_code == 200 else []
    return found


async def family(running: Running, *edges: str) -> str:
    """Documents with these edges, all of them created; the token of all of it."""
    ids = sorted({one for edge in edges for one in edge.split()[::2]})
    for one in ids:
        await running.create(one)
    return await related(running, *edges)


async def test_a_document_is_deleted_alone_and_its_edges_stay(one: Running) -> None:
    await family(one, "a child b", "c cites a")
    reply = await delete(one, "a", **WAIT)
    again = await delete(one, "a", **WAIT)
    token = reply.json()["token"]

    assert (reply.status_code, reply.json()["status"]) == (200, "READ_READY")
    assert problem_of(again) == (410, "DocumentDeleted")
    assert await alive(one, "a", "b", "c", token=token) == ["b", "c"]
    assert await listed(one, "a", direction="both", token=token) == ["a child b", "c cites a"]
    page = await one.reactor.path("c", "b", token=token)
    assert page == ["c", "a", "b"]


async def test_its_edges_go_first_with_cascade_edges(one: Running) -> None:
    token = await family(one, "a child b", "a cites c", "c cites a", "b child c")
    reply = await delete(one, "a", cascade="edges", token=token, **WAIT)

    assert reply.status_code == 200, reply.text
    job = reply.json()
    assert (job["document_id"], job["status"], job["failures"]) == ("a", "READ_READY", [])
    assert len(job["jobs"]) == 2
    others = [(await one.reactor.job(one_id)).document_id for one_id in job["jobs"]]
    assert sorted(map(str, others)) == ["a", "c"]
    assert await listed(one, "a", direction="both", token=job["token"]) == []
    assert await listed(one, "b", direction="both", token=job["token"]) == ["b child c"]
    assert await alive(one, "a", "b", "c", token=job["token"]) == ["b", "c"]


async def test_the_token_covers_every_job_of_the_call(one: Running) -> None:
    token = await family(one, *[f"d{number} cites hub" for number in range(8)])
    job = (await delete(one, "hub", cascade="edges", token=token, **WAIT)).json()

    covered = Position.parse(job["token"], log_id=one.node.log_id)
    sources = {one.node.partition_of(f"d{number}") for number in range(8)}
    assert len(sources) > 1
    assert sources | {one.node.partition_of("hub")} == {*covered.next_offsets}


async def test_children_that_nobody_else_holds_go_too_with_cascade_children(one: Running) -> None:
    edges = ("root child a", "a child b", "a child c", "x child c", "b child d", "a cites y")
    token = await family(one, *edges)
    job = (await delete(one, "a", cascade="children", token=token, **WAIT)).json()

    assert job["failures"] == []
    everything = ("root", "a", "b", "c", "d", "x", "y")
    assert await alive(one, *everything, token=job["token"]) == ["root", "c", "x", "y"]
    assert await listed(one, "root", token=job["token"]) == []
    # What they pointed to beside what went stays a fact.
    assert await listed(one, "a", token=job["token"]) == ["a child c", "a cites y"]
    assert await listed(one, "b", direction="both", token=job["token"]) == []


async def test_deeper_children_end_before_those_that_hold_them(one: Running) -> None:
    names = [f"d{number}" for number in range(6)]
    edges = [f"{parent} child {child}" for parent, child in pairwise(names)]
    token = await family(one, *edges)
    assert len({one.node.partition_of(name) for name in names}) > 1
    job = (await delete(one, "d0", cascade="children", token=token, **WAIT)).json()

    ends: list[str] = []
    for name in names:
        page = await one.reactor.history(name, scope="document", token=job["token"])
        assert page.operations[-1].action.type == "DELETE_DOCUMENT"
        ends.append(page.operations[-1].timestamp)
    assert ends == sorted(ends, reverse=True)


async def test_a_circle_of_children_goes_whole(one: Running) -> None:
    token = await family(one, "a child b", "b child c", "c child a")
    job = (await delete(one, "a", cascade="children", token=token, **WAIT)).json()

    assert (job["status"], job["failures"]) == ("READ_READY", [])
    assert await alive(one, "a", token=job["token"]) == []
    # b is held by nobody but a; c by nobody but b.
    assert await alive(one, "b", "c", token=job["token"]) == []


async def test_without_wait_it_answers_202_with_the_jobs_that_go_on(one: Running) -> None:
    token = await family(one, "a child b")
    reply = await delete(one, "a", cascade="children", token=token)

    assert reply.status_code == 202
    job = reply.json()
    assert (job["document_id"], job["status"], job["token"]) == ("a", "PENDING", "")
    assert len(job["jobs"]) == 2
    token = await shown(one, job["id"], *job["jobs"])
    assert await alive(one, "a", "b", token=token) == []


async def test_sent_twice_with_one_key_it_takes_what_it_took_and_no_more(one: Running) -> None:
    token = await family(one, "a child b", "a child c", "x child c")
    first = (await delete(one, "a", "k", cascade="children", token=token, **WAIT)).json()
    # Nobody holds c any more but a document that went: a second deletion would take it.
    freed = await one.reactor.unrelate("x", "c", "child", wait="read")
    again = await delete(one, "a", "k", cascade="children", token=freed.token, **WAIT)

    assert (again.status_code, again.json()["status"]) == (200, "READ_READY")
    assert (again.json()["jobs"], again.json()["failures"]) == ([], [])
    merged = [first["token"], again.json()["token"]]
    assert await alive(one, "a", "b", "c", "x", token=",".join(merged)) == ["c", "x"]
    for name in ("a", "b"):
        page = await one.reactor.history(name, scope="document")
        assert [one.action.type for one in page.operations].count("DELETE_DOCUMENT") == 1


@pytest.mark.parametrize("cascade", ["edges", "children"])
async def test_where_there_is_nothing_to_delete_no_edge_goes(one: Running, cascade: str) -> None:
    token = await family(one, "a child b", "x cites a")
    await related(one, "x cites nobody", "x cites gone")
    await one.create("gone")
    erased = await one.reactor.erase("gone", wait="read")
    deleted = await one.reactor.delete("a", wait="read")
    query: dict[str, Any] = {"cascade": cascade, "token": [token, deleted.token, erased.token]}

    assert problem_of(await delete(one, "a", **query)) == (410, "DocumentDeleted")
    assert problem_of(await delete(one, "gone", **query)) == (410, "DocumentErased")
    assert problem_of(await delete(one, "nobody", **query)) == (404, "DocumentNotFound")
    edges = await listed(one, "x", token=deleted.token)
    assert edges == ["x cites a", "x cites nobody", "x cites gone"]
    assert await alive(one, "b", token=deleted.token) == ["b"]


async def test_what_others_could_not_do_is_told_and_the_document_goes_all_the_same(
    one: Running,
) -> None:
    token = await family(one, "a child b", "x cites a", "b child c")
    await one.reactor.delete("x", wait="read")
    await one.reactor.delete("b", wait="read")
    reply = await delete(one, "a", cascade="children", token=token, **WAIT)

    assert reply.status_code == 200, reply.text
    job = reply.json()
    assert job["status"] == "READ_READY"
    told = {one["document_id"]: one["error"]["title"] for one in job["failures"]}
    assert told == {"x": "DocumentDeleted", "b": "DocumentDeleted"}
    assert await alive(one, "a", "b", "c", token=job["token"]) == []
    # A deleted document says nothing any more, not even that an edge of its own is gone.
    edges = ["x cites a", "b child c"]
    assert await listed(one, "x", token=job["token"]) == edges[:1]
    assert await listed(one, "b", token=job["token"]) == edges[1:]


async def test_what_goes_is_of_one_branch(one: Running) -> None:
    await family(one, "a child b")
    for name in ("a", "b"):
        await one.create(name, branch="draft")
    job = await one.reactor.add_children("a", ["b"], branch="draft", wait="read")
    query = {"cascade": "children", "branch": "draft", "token": job.token}
    done = (await delete(one, "a", **query, **WAIT)).json()

    assert await alive(one, "a", "b", token=done["token"]) == ["a", "b"]
    assert await listed(one, "a", token=done["token"]) == ["a child b"]
    assert await listed(one, "a", token=done["token"], branch="draft") == []


async def test_more_than_the_limit_is_refused_and_nothing_goes() -> None:
    async with one_node(cascade_count_max=2) as one:
        token = await family(one, "a child b", "b child c")
        reply = await delete(one, "a", cascade="children", token=token)
        kept = await alive(one, "a", "b", "c", token=token)
        edges = await listed(one, "a", token=token)

    assert problem_of(reply) == (413, "TooLarge")
    assert reply.json()["limit"] == 2
    assert (kept, edges) == (["a", "b", "c"], ["a child b"])


async def test_a_wait_that_runs_out_is_504_with_the_jobs_which_go_on() -> None:
    gate = Gate()
    async with one_node(gate) as one:
        token = await family(one, "a child b")
        await one.reactor.relationships("a", token=token)
        gate.shut(after=1)
        reply = await delete(one, "a", cascade="children", wait="read", timeout_ms=50)
        gate.open()
        jobs = [reply.json()["job"]["id"], *reply.json()["others"]]
        gone = await alive(one, "a", "b", token=await shown(one, *jobs))

    assert problem_of(reply) == (504, "JobNotReady")
    assert reply.json()["job"]["document_id"] == "a"
    assert len(reply.json()["others"]) == 2
    assert gone == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"cascade": "everything"}, (422, "InvalidInput")),
        ({"cascade": "edges", "branch": "a b"}, (422, "InvalidInput")),
        ({"cascade": "edges", "token": "x"}, (422, "InvalidToken")),
        ({"cascade": "edges", "token": f"{'0' * 32}."}, (409, "TokenOfAnotherLog")),
    ],
)
async def test_a_deletion_that_cannot_be_is_refused_without_a_job(
    one: Running, query: dict[str, Any], refusal: tuple[int, str]
) -> None:
    await one.create("a")

    assert problem_of(await delete(one, "a", **query)) == refusal
    assert (await one.http.get("/v1/documents/a")).status_code == 200


async def test_any_node_takes_it_and_its_jobs_run_on_all() -> None:
    async with several_nodes(2) as (first, second):
        names = [f"d{number}" for number in range(6)]
        token = await family(first, *[f"root child {name}" for name in names])
        owners = {first.node.owner(first.node.partition_of(one)) for one in names}
        assert len(owners) == 2
        other = second if first.node.local(first.node.partition_of("root")) else first
        reply = await delete(other, "root", cascade="children", token=token, **WAIT)
        job = reply.json()
        gone = await alive(first, "root", *names, token=job["token"])

    assert reply.headers[ANSWERED_BY] == "forwarded"
    assert (job["status"], len(job["jobs"]), job["failures"]) == ("READ_READY", 7, [])
    assert gone == []
