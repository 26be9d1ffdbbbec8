"""Running what the author of a read model wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from docreactor.agents.author_code import AuthorCode
from docreactor.agents.deadline import Deadline
from docreactor.agents.pause import LeftError
from docreactor.pipeline.bound import UNBOUNDED, Bound
from docreactor.pipeline.errors import (
    HashMismatchError,
    LogError,
    ReadModelFailedError,
    StoreFailedError,
    UnknownModelError,
)
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.tables.memory import MemoryStore
from docreactor.tables.row_writer import RowWriter
from docreactor.tables.rows import RowsTable

MOMENT = "2026-11-21T00:00:00.000000Z"
Work = Callable[[], Awaitable[None] | None]


async def _state() -> Any:
    return None


def change(document_id: str = "d1", index: int = 4) -> Change:
    action = StoredAction("a1", "ADD", "global", MOMENT)
    operation = Operation("0" * 32, "t", index, 0, MOMENT, "h", None, None, action)
    return Change(document_id, "t", "global", "main", operation, (), 9, False, _state)


class Does(ReadModel):
    """Whatever it is told to."""

    name = "does"

    def __init__(self, work: Work) -> None:
        self.work = work

    def apply(self, batch: Sequence[Change], writer: Writer) -> Awaitable[None] | None:
        return self.work()

    def forget(self, document_id: str, writer: Writer) -> Awaitable[None] | None:
        writer.put(document_id, "forgotten")
        return None


def writer() -> RowWriter:
    return RowWriter(RowsTable(MemoryStore()))


def raising(error: BaseException, *, waits: bool) -> Work:
    async def later() -> None:
        await asyncio.sleep(0)
        raise error

    def now() -> None:
        raise error

    return later if waits else now


async def run(work: Work, bound: Bound = UNBOUNDED) -> None:
    await AuthorCode(Does(work), bound).apply([change("d0", 3), change()], writer())


async def test_it_gives_the_batch_and_waits_where_there_is_something_to_wait_for() -> None:
    done: list[str] = []

    async def later() -> None:
        await asyncio.sleep(0)
        done.append("later")

    await run(lambda: done.append("now"))
    await run(later)
    assert done == ["now", "later"]


async def test_what_is_to_be_forgotten_is_told() -> None:
    told = writer()
    await AuthorCode(Does(lambda: None), UNBOUNDED).forget(change(), told)
    assert list(told.scan()) == [("d1", "forgotten")]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    "error",
    [
        OSError("no space"),
        TimeoutError(),
        StoreFailedError("damaged"),
        LogError("gone"),
        UnknownModelError("t"),
        LeftError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_the_place_is_to_blame_for_comes_out_as_it_is(
    error: Exception, waits: bool
) -> None:
    with pytest.raises(type(error)) as raised:
        await run(raising(error, waits=waits))
    assert raised.value is error


async def test_a_lack_of_memory_is_of_the_place() -> None:
    with pytest.raises(OSError, match="memory"):
        await run(raising(MemoryError(), waits=False))


async def test_what_the_place_is_to_blame_for_is_found_in_a_group() -> None:
    group = ExceptionGroup("several", [ValueError("v"), ExceptionGroup("in", [OSError("disk")])])
    with pytest.raises(OSError, match="disk"):
        await run(raising(group, waits=True))


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("word"), "KeyError: 'word'"),
        (SystemExit(3), "SystemExit: 3"),
        (RecursionError("deep"), "RecursionError: deep"),
        (HashMismatchError("d1", key="k", expected="a", actual="b"), "HashMismatch: k: "),
    ],
)
async def test_what_the_document_is_to_blame_for_says_where_and_why(
    error: BaseException, reason: str, waits: bool
) -> None:
    with pytest.raises(ReadModelFailedError) as raised:
        await run(raising(error, waits=waits))
    facts = raised.value.facts
    assert facts["cause"].startswith(reason)
    assert "(test_author_code.py, line " in facts["cause"]
    assert {name: facts[name] for name in ("model", "document_id", "index", "offset")} == {
        "model": "does",
        "document_id": "d1",
        "index": 4,
        "offset": 9,
    }


async def test_all_causes_of_a_group_are_told() -> None:
    group = ExceptionGroup("several", [ValueError("v"), ExceptionGroup("in", [KeyError("k")])])
    with pytest.raises(ReadModelFailedError) as raised:
        await run(raising(group, waits=True))
    assert raised.value.facts["causes"] == ["ValueError: v", "KeyError: 'k'"]


async def test_an_exception_that_cannot_say_anything_is_told_by_its_name() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    with pytest.raises(ReadModelFailedError, match="MuteError: "):
        await run(raising(MuteError(), waits=False))


async def test_whoever_is_cancelled_leaves_and_who_cancels_himself_fails() -> None:
    async def cancels_himself() -> None:
        raise asyncio.CancelledError

    with pytest.raises(ReadModelFailedError, match="it cancelled itself"):
        await run(cancels_himself)
    entered = asyncio.Event()

    async def waits() -> None:
        entered.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(run(waits))
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def _endless() -> None:
    while True:
        pass


async def _endless_later() -> None:
    await asyncio.sleep(0)
    while True:
        try:
            _endless()
        except Exception:  # noqa: BLE001, S112  what a careless author would write
            continue


@pytest.mark.parametrize("work", [_endless, _endless_later])
async def test_python_that_does_not_end_is_ended(work: Work) -> None:
    with pytest.raises(ReadModelFailedError, match="it ran over 50 ms"):
        await run(work, Bound(Deadline(0.05), 50))


async def test_waiting_is_not_bounded_by_that() -> None:
    gate = asyncio.Event()

    async def waits() -> None:
        await gate.wait()

    running = asyncio.create_task(run(waits, Bound(Deadline(0.01), 10)))
    asyncio.get_running_loop().call_later(0.05, gate.set)
    await running


async def test_what_it_waits_for_may_raise_into_it_and_be_caught() -> None:
    caught: list[str] = []

    async def catches() -> None:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            caught.append("timeout")
        future = asyncio.get_running_loop().create_future()
        future.set_exception(ValueError("told"))
        try:
            await future
        except ValueError as error:
            caught.append(str(error))

    await run(catches)
    assert caught == ["timeout", "told"]


async def test_effects_run_in_their_order_and_one_that_fails_keeps_nobody_from_the_others() -> None:
    done: list[str] = []

    def fails() -> None:
        raise ValueError("no")

    async def later() -> None:
        done.append("later")

    async def never() -> None:
        await asyncio.Event().wait()

    code = AuthorCode(Does(lambda: None), Bound(Deadline(0.05), 50))
    await code.act([fails, later, _endless, never, lambda: done.append("now")])
    assert done == ["later", "now"]
