"""Sessions: reads show what was written before them, whichever node answers."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest

from docreactor import Reactor
from docreactor.gateway.answers import Document
from docreactor.gateway.reply import refuse
from docreactor.gateway.session import Session
from docreactor.pipeline.errors import (
    ClientClosedError,
    DocumentNotFoundError,
    InvalidTokenError,
    JobNotReadyError,
    NotYetVisibleError,
    ReactorError,
    TokenOfAnotherLogError,
)
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.position import Position
from tests.gateway.deployment import TODO_TYPE, Gate, Running, one_node, several_nodes
from tests.support.nodes import LOG_ID

ANOTHER_LOG = "f" * 32
PENDING = {"status": "PENDING", "token": ""}


def added(text: str) -> dict[str, object]:
    return {"type": "ADD_ITEM", "input": {"text": text}}


def items(document: Document) -> list[str]:
    found: list[str] = document.state["global"]["items"]
    return found


class Telling(httpx.AsyncBaseTransport):
    """A server that takes note of what it is asked, and answers jobs with tokens of their own."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.refusal: ReactorError | None = None

    def job(self, job_id: str) -> dict[str, object]:
        number = len(self.asked)
        return {
            "id": job_id,
            "document_id": "d1",
            "scope": "global",
            "branch": "main",
            "status": "WRITE_READY",
            "token": f"{LOG_ID}.{number}-{10 * number}",
            "error": None,
            "retry_count": 0,
            "offset": 1,
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path, dict(request.url.params)))
        if self.refusal is not None:
            reply = refuse(self.refusal)
            headers = dict(reply.headers)
            return httpx.Response(reply.status_code, content=bytes(reply.body), headers=headers)
        page: dict[str, object] = {"documents": [], "next_cursor": None}
        job_id = request.url.path.rpartition("/")[2]
        return httpx.Response(200, content=orjson.dumps(self.job(job_id) | page))


async def test_each_read_shows_what_was_written_before_it(one: Running) -> None:
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1")
        for number in range(20):
            await session.submit("shop-1", added(str(number)))

            assert items(await session.get("shop-1"))[-1] == str(number)
            page = await session.find(type=TODO_TYPE)
            assert items(page.documents[0])[-1] == str(number)
            history = await session.history("shop-1", since=number - 1)
            assert [one.index for one in history.operations] == [number]


async def test_it_reads_its_writes_at_every_node() -> None:
    async with several_nodes(2) as (first, second), first.reactor.session() as session:
        for number in range(8):
            await session.create(TODO_TYPE, id=f"shop-{number}")
            async with second.reactor.session(token=session.token) as other:
                shown = await other.get(f"shop-{number}")
                await other.submit(shown.header.id, added("Milk"))
                seen = await session.get(f"shop-{number}", token=other.token)
                assert items(seen) == ["Milk"], "its token was given to the read"


async def test_it_reads_its_writes_through_gateways_alone() -> None:
    async with several_nodes(2, gateways=2) as (*_, first, second):
        assert not any(first.node.local(one) for one in range(first.node.partition_count))
        async with first.reactor.session() as session:
            for number in range(8):
                await session.create(TODO_TYPE, id=f"shop-{number}")
                await session.submit(f"shop-{number}", added("Milk"), wait="none")
                assert items(await session.get(f"shop-{number}")) == ["Milk"]
            async with second.reactor.session(token=await session.settled()) as other:
                page = await other.find(type=TODO_TYPE)
                shown = await other.wait_for()

    assert [items(document) for document in page.documents] == [["Milk"]] * 8
    assert shown.token == session.token


async def test_a_change_that_was_not_waited_for_is_waited_for_by_the_next_read() -> None:
    gate = Gate()
    async with one_node(gate) as one, one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1")
        gate.shut()
        jobs = [await session.submit("shop-1", added(text), wait="none") for text in "ab"]
        reading = asyncio.create_task(session.get("shop-1"))
        with pytest.raises(JobNotReadyError):
            await session.get("shop-1", timeout_ms=10)
        gate.open()
        shown = await reading

    assert {job.status for job in jobs} == {JobStatus.PENDING}
    assert items(shown) == ["a", "b"]


async def test_a_session_may_wait_for_none_of_its_changes() -> None:
    gate = Gate()
    async with one_node(gate) as one, one.reactor.session(wait=None) as session:
        gate.shut()
        job = await session.create(TODO_TYPE, id="shop-1")
        before = session.token
        gate.open()
        settled = await session.settled()

        assert (job.status, before) == (JobStatus.PENDING, "")
        assert settled == session.token
        assert (await one.reactor.get("shop-1", token=settled)).header.id == "shop-1"


async def test_a_session_may_wait_until_everybody_reads_its_changes(one: Running) -> None:
    async with one.reactor.session(wait="read") as session:
        job = await session.create(TODO_TYPE, id="shop-1")

    assert job.status is JobStatus.READ_READY
    assert (await one.reactor.get("shop-1")).header.id == "shop-1"


async def test_a_change_that_took_too_long_is_waited_for_later() -> None:
    gate = Gate()
    async with one_node(gate) as one, one.reactor.session() as session:
        gate.shut()
        with pytest.raises(JobNotReadyError):
            await session.create(TODO_TYPE, id="shop-1", timeout_ms=10)
        jobs = [{"key": "a", "document_id": "shop-1", "actions": [added("Milk")]}]
        with pytest.raises(JobNotReadyError):
            await session.batch(jobs, timeout_ms=10)
        gate.open()

        assert items(await session.get("shop-1")) == ["Milk"]


async def test_the_jobs_of_a_batch_are_read_too(one: Running) -> None:
    for wait in ("none", "write"):
        async with one.reactor.session() as session:
            ids = [f"{wait}-{number}" for number in range(4)]
            for document_id in ids:
                await session.create(TODO_TYPE, id=document_id)
            jobs = [{"key": one, "document_id": one, "actions": [added("Milk")]} for one in ids]
            await session.batch(jobs, wait="none" if wait == "none" else "write")
            page = await session.find(ids=ids)

        assert [items(document) for document in page.documents] == [["Milk"]] * 4


async def test_all_the_jobs_of_a_deletion_are_read_too(one: Running) -> None:
    for wait in ("none", "write"):
        async with one.reactor.session() as session:
            await session.create(TODO_TYPE, id=wait)
            for number in range(8):
                await session.create(TODO_TYPE, id=f"{wait}-{number}", parent=wait)
            await session.delete(
                wait, cascade="children", wait="none" if wait == "none" else "write"
            )

            assert not (await session.find(type=TODO_TYPE)).documents
            assert not (await session.outgoing(wait)).relationships


async def test_a_deletion_that_took_too_long_is_waited_for_later_with_all_its_jobs() -> None:
    server = Telling()
    late = JobNotReadyError(JobResult.model_validate(server.job("j1-0") | PENDING), "WRITE_READY")
    late.facts["others"] = ["j2-1", "j3-2"]
    server.refusal = late
    async with Reactor(transport=server, retry_for_s=0) as reactor, reactor.session() as session:
        with pytest.raises(JobNotReadyError):
            await session.delete("d1", cascade="children")
        server.refusal = None
        await session.find(type="t")

    paths = [path for method, path, _ in server.asked if method == "GET"]
    assert sorted(paths[:3]) == ["/v1/jobs/j1-0", "/v1/jobs/j2-1", "/v1/jobs/j3-2"]
    assert paths[3:] == ["/v1/documents"]


async def test_a_change_that_failed_is_raised_and_holds_up_no_read(one: Running) -> None:
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1")
        with pytest.raises(DocumentNotFoundError):
            await session.submit("nobody", added("Milk"))
        await session.submit("nobody", added("Milk"), wait="none")

        assert (await session.get("shop-1")).header.id == "shop-1"


async def test_a_job_that_was_only_asked_about_holds_up_no_read(one: Running) -> None:
    await one.create("shop-1")
    theirs = await one.reactor.submit("shop-1", added("Milk"), depends_on=["nobody-0"])
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-2")
        assert (await session.job(theirs.id)).status is JobStatus.PENDING
        with pytest.raises(JobNotReadyError):
            await session.wait(theirs, timeout_ms=10)

        assert (await session.get("shop-2", timeout_ms=5_000)).header.id == "shop-2"


async def test_many_tasks_share_one_session(one: Running) -> None:
    async with one.reactor.session() as session:

        async def write_and_read(document_id: str) -> list[str]:
            await session.create(TODO_TYPE, id=document_id)
            await session.submit(document_id, added(document_id), wait="none")
            return items(await session.get(document_id))

        ids = [f"shop-{number}" for number in range(30)]
        shown = await asyncio.gather(*map(write_and_read, ids))

    assert shown == [[document_id] for document_id in ids]


async def test_tokens_are_merged_the_greatest_of_each_partition_stays() -> None:
    server = Telling()
    start = Position(LOG_ID, {}).token + "1-99_7-7"
    reactor = Reactor(transport=server)
    async with reactor, reactor.session(token=[start, f"{LOG_ID}.7-5"]) as session:
        await session.submit("d1", added("a"))
        await session.submit("d1", added("b"))
        await session.find(type="t", token=f"{LOG_ID}.9-1")
        await session.find(type="t")
        token = session.token

    asked = [query.get("token") for method, _, query in server.asked if method == "GET"]
    waits = [query["wait"] for method, _, query in server.asked if method == "POST"]
    assert asked[0] == f"{LOG_ID}.1-99_2-20_7-7_9-1"
    assert asked[1] == asked[0], "what a read was to show, every later one shows"
    assert token == asked[1]
    assert waits == ["write"] * 2


async def test_a_token_that_was_not_reached_is_not_kept(one: Running) -> None:
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1")
        partition = one.node.partition_of("shop-1")
        far = f"{LOG_ID}.{partition}-999999"
        with pytest.raises(NotYetVisibleError):
            await session.get("shop-1", token=far, timeout_ms=10)

        assert (await session.get("shop-1", timeout_ms=1_000)).header.id == "shop-1"


async def test_a_token_of_another_log_is_refused_by_name(one: Running) -> None:
    theirs = f"{ANOTHER_LOG}.0-1"
    async with one.reactor.session(token=theirs) as session:
        with pytest.raises(TokenOfAnotherLogError, match="drop it, or ask the deployment"):
            await session.get("shop-1")
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1")
        with pytest.raises(TokenOfAnotherLogError) as refusal:
            await session.get("shop-1", token=theirs)
        shown = await session.get("shop-1")

    assert refusal.value.facts == {"expected": LOG_ID, "actual": ANOTHER_LOG}
    assert shown.header.id == "shop-1"
    with pytest.raises(InvalidTokenError):
        one.reactor.session(token="anything")


async def test_a_change_is_told_also_where_the_session_is_of_another_log(one: Running) -> None:
    async with one.reactor.session(token=f"{ANOTHER_LOG}.0-1") as session:
        job = await session.create(TODO_TYPE, id="shop-1")
        with pytest.raises(TokenOfAnotherLogError):
            await session.get("shop-1")

    assert job.status is JobStatus.WRITE_READY


async def test_an_empty_token_is_none(one: Running) -> None:
    async with one.reactor.session(token="") as session:
        assert session.token == ""
        await session.create(TODO_TYPE, id="shop-1")
        assert (await session.get("shop-1", token="")).header.id == "shop-1"


async def test_a_session_that_has_ended_takes_no_calls_and_its_reactor_does(one: Running) -> None:
    async with one.reactor.session() as session:
        await session.create(TODO_TYPE, id="shop-1", wait="read")

    with pytest.raises(ClientClosedError):
        await session.get("shop-1")
    assert (await one.reactor.get("shop-1")).header.id == "shop-1"


async def test_the_end_of_a_session_rejects_those_who_wait_in_it(one: Running) -> None:
    await one.create("shop-1")
    job = await one.reactor.submit("shop-1", added("a"), depends_on=["nobody-0"])

    async def wait(session: Session) -> None:
        await session.wait(job)

    async with one.reactor.session() as session:
        waiting = asyncio.create_task(wait(session))
        await asyncio.sleep(0)
    with pytest.raises(ClientClosedError):
        await waiting
