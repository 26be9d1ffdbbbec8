"""A model under test."""

import asyncio
import signal
from itertools import count
from typing import Any

import pytest
from pydantic import BaseModel

from docreactor.examples.tags import Tags, note
from docreactor.examples.text import text
from docreactor.examples.todo import Todo, todo
from docreactor.gateway.testing import create_test_write_cache, play, reactor
from docreactor.pipeline.context import Context
from docreactor.pipeline.errors import (
    ImpureReducerError,
    InvalidInputError,
    StoreClosedError,
    TooLargeError,
    UnknownActionError,
    UnknownModelError,
)
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State

MILK = ("ADD_ITEM", {"text": "milk"})


class Seen(State):
    """What reducers were told."""

    seen: tuple[str, ...] = ()


class Nothing(BaseModel):
    """An input that carries nothing."""


witness = DocumentModel("test/witness", state=Seen, scopes={"local": Seen})
_dice = count()


@witness.action
def look(state: Seen, input: Nothing, context: Context) -> Seen:
    told = f"{context.id} {context.timestamp} {context.header.document_type}"
    return state.replace(seen=(*state.seen, told))


@witness.action
def throw(state: Seen, input: Nothing) -> Seen:
    return state.replace(seen=(*state.seen, str(next(_dice))))


def test_nothing_played_is_a_new_document() -> None:
    assert play(todo, []) == Todo()


def test_actions_are_played_in_their_order() -> None:
    state = play(todo, [MILK, ("ADD_ITEM", {"text": "bread"}), ("REMOVE_ITEM", {"text": "milk"})])
    assert state == Todo(items=("bread",))


def test_a_document_may_begin_with_a_state() -> None:
    assert play(todo, [MILK], initial_state={"items": ["bread"]}).items == ("bread", "milk")


def test_each_scope_is_played_on_its_own() -> None:
    assert len(play(witness, [("LOOK", {})], scope="local").seen) == 1


def test_every_action_has_a_time_and_an_id_of_its_own() -> None:
    assert play(witness, [("LOOK", {})] * 2).seen == (
        "a1 2024-01-01T00:00:00.000001Z test/witness",
        "a2 2024-01-01T00:00:00.000002Z test/witness",
    )


@pytest.mark.parametrize(
    ("model", "action", "error"),
    [
        (todo, MILK, ValueError),
        (todo, ("PAINT", {}), UnknownActionError),
        (todo, ("ADD_ITEM", {"text": ""}), InvalidInputError),
        (witness, ("THROW", {}), ImpureReducerError),
    ],
)
def test_what_goes_wrong_comes_out(
    model: DocumentModel, action: tuple[str, Any], error: type[Exception]
) -> None:
    before = [MILK] if model is todo else []
    with pytest.raises(error):
        play(model, [*before, action])


async def test_a_write_can_be_read() -> None:
    async with reactor(todo) as client:
        await client.create("example/todo", id="d1", wait="read")
        actions = [{"type": "ADD_ITEM", "input": {"text": one}} for one in ("milk", "bread")]
        job = await client.submit("d1", actions, wait="write")
        document = await client.get("d1", token=job.token)
        assert document.state["global"]["items"] == ["milk", "bread"]
        assert (await client.get("d1", at="global:0")).state["global"]["items"] == ["milk"]


async def test_it_has_the_models_that_it_was_given_and_no_others() -> None:
    async with reactor(todo, text) as client:
        await client.create("example/text", wait="read")
        types = {model["document_type"] for model in (await client.models()).models}
        assert types == {"example/todo", "example/text"}
        with pytest.raises(UnknownModelError):
            await client.create("test/witness", wait="read")


async def test_every_reducer_runs_twice() -> None:
    async with reactor(witness) as client:
        await client.create("test/witness", id="d1", wait="read")
        await client.submit("d1", {"type": "THROW", "input": {}}, wait="read")
        (operation,) = (await client.history("d1")).operations
        assert operation.error is not None
        assert operation.error.startswith("ImpureReducer")


async def test_settings_are_those_of_a_deployment() -> None:
    async with reactor(todo, partitions=4, job_actions_max=2, http_token="secret") as client:
        assert {row.partition for row in (await client.positions()).positions} == set(range(4))
        await client.create("example/todo", id="d1", wait="read")
        three = [{"type": "ADD_ITEM", "input": {"text": str(at)}} for at in range(3)]
        with pytest.raises(TooLargeError):
            await client.submit("d1", three)


async def test_the_environment_of_a_deployment_is_not_that_of_a_test(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCREACTOR_HTTP_TOKEN", "secret")
    monkeypatch.setenv("DOCREACTOR_HOST", "0.0.0.0")
    monkeypatch.setenv("DOCREACTOR_PARTITIONS", "64")
    async with reactor(todo) as client:
        assert len({row.partition for row in (await client.positions()).positions}) == 1


async def test_one_knows_nothing_of_another() -> None:
    async with reactor(todo) as first, reactor(todo) as second:
        await first.create("example/todo", id="d1", wait="read")
        assert [
            len((await one.find(type="example/todo")).documents) for one in (first, second)
        ] == [1, 0]


async def test_a_failing_test_fails_as_it_is() -> None:
    with pytest.raises(AssertionError, match="the test's own"):
        async with reactor(todo):
            raise AssertionError("the test's own")


async def test_nothing_is_left_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    async with reactor(todo) as client:
        await client.create("example/todo", id="d1", wait="read")
        await client.submit("d1", {"type": MILK[0], "input": MILK[1]}, wait="read")
        assert signal.getsignal(signal.SIGALRM) is not before
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_write_cache_under_test_has_a_history_that_the_reducer_made() -> None:
    with create_test_write_cache(todo, cache_ring_states=2) as side:
        await side.create("example/todo", "groceries")
        stream = await side.submit("groceries", [MILK, ("ADD_ITEM", {"text": "bread"})])
        await side.submit("groceries", [("ADD_ITEM", {"text": "eggs"})])
        await side.submit("groceries", [("COMPLETE_ITEM", {"text": "milk"})])

        assert side.cache.labels(stream) == [2, 3]
        assert (await side.cache.get(stream)).state.completed == ("milk",)
        assert (await side.cache.get(stream, 0)).state.items == ("milk",)
        assert side.cache.figures().cold == 1


async def test_a_write_cache_under_test_is_stopped_and_its_store_closed_at_the_end() -> None:
    with create_test_write_cache(todo) as side:
        await side.create("example/todo", "groceries")

    assert side.cache.streams() == []
    with pytest.raises(StoreClosedError):
        side.store.positions()


async def test_a_job_waits_for_one_of_another_partition_that_has_ended_already() -> None:
    async with reactor(todo, partitions=8) as one:
        jobs = [await one.create("example/todo", id=f"d{n}", wait="write") for n in range(6)]
        assert len({job.id.rpartition("-")[2] for job in jobs}) > 1
        action = {"type": "ADD_ITEM", "input": {"text": "milk"}}
        waits_for = [job.id for job in jobs]
        job = await one.submit("d0", action, depends_on=waits_for, wait="read")
        assert job.failure is None


async def test_read_models_run_beside_the_models_of_documents() -> None:
    async with reactor(note, Tags()) as one:
        await one.create("example/note", id="n1")
        job = await one.submit("n1", {"type": "TAG", "input": {"tag": "art"}}, wait="write")
        page = await one.rows("tags", key="count/art", token=job.token)
        assert [row.value for row in page.rows] == [1]
