"""What every node tells of its partitions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from docreactor.agents.board import (
    LOG_ID_KEY,
    Board,
    attempts_key,
    reducer_key,
)
from docreactor.agents.log import Entry
from docreactor.pipeline.errors import LogError
from tests.support.nodes import Site, site, until
from tests.support.steps import Gate


class Trouble:
    """A hook: appending fails while it lasts."""

    def __init__(self) -> None:
        self.lasts = True
        self.refused = 0

    async def __call__(self, step: str) -> None:
        if self.lasts and step == "append":
            self.refused += 1
            raise LogError("the broker is away")


@asynccontextmanager
async def _following(board: Board) -> AsyncIterator[Board]:
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(board.follow())
        try:
            yield board
        finally:
            following.cancel()


@asynccontextmanager
async def _writing(board: Board) -> AsyncIterator[Board]:
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(board.write())
        try:
            yield board
        finally:
            writing.cancel()
    await board.close()


def _board(place: Site, hook: Any = None) -> Board:
    return Board(place.log(hook), place.topics)


def _row(number: int, epoch: int = 1) -> dict[str, int]:
    return {"epoch": epoch, "number": number}


def _written(place: Site) -> list[tuple[str, int]]:
    return [
        (record.key.decode(), orjson.loads(record.value)["number"])
        for record in place.records(place.topics.positions)
    ]


def test_every_teller_has_a_key_of_its_own() -> None:
    keys = {reducer_key(3), attempts_key(3)}
    assert keys == {"reducer/3", "attempts/3"}


async def test_what_one_publishes_all_read() -> None:
    place = site()
    async with _following(_board(place)) as other:
        board = _board(place)
        await board.publish("a", _row(1))
        await other.catch_up()
        assert other.row("a") == board.row("a") == _row(1)
        assert other.row("b") is None


async def test_to_catch_up_is_to_have_read_what_stood_there() -> None:
    place = site()
    for number in range(5):
        await _board(place).publish(f"a{number}", _row(number))
    async with _following(_board(place)) as board:
        await board.catch_up()
        assert board.rows("a") == [_row(number) for number in range(5)]


async def test_rows_are_found_by_what_their_keys_begin_with() -> None:
    board = _board(site())
    board.tell("reducer/1", _row(1))
    board.tell("reducer/0", _row(0))
    board.tell("view/0", _row(9))
    assert board.rows("reducer/") == [_row(0), _row(1)]


@pytest.mark.parametrize(("epoch", "newest"), [(2, 1), (3, 2), (4, 2)])
async def test_a_row_of_an_older_epoch_is_ignored(epoch: int, newest: int) -> None:
    place = site()
    async with _following(_board(place)) as board:
        await _board(place).publish("a", _row(1, epoch=3))
        await _board(place).publish("a", _row(2, epoch=epoch))
        await board.catch_up()
        row = board.row("a")
        assert row is not None
        assert row["number"] == newest


@pytest.mark.parametrize(("epoch", "newest"), [(2, 1), (3, 2), (4, 2)])
async def test_a_row_of_an_older_epoch_is_not_told(epoch: int, newest: int) -> None:
    place = site()
    async with _writing(_board(place)) as board:
        board.tell("a", _row(1, epoch=3))
        board.tell("a", _row(2, epoch=epoch))
        row = board.row("a")
        assert row is not None
        assert row["number"] == newest
    assert _written(place) == [("a", newest)]


async def test_a_tombstone_removes_its_row() -> None:
    place = site()
    async with _following(_board(place)) as board:
        await _board(place).publish("a", _row(1))
        await place.write(place.topics.positions, Entry(b"a", None))
        await board.catch_up()
        assert board.row("a") is None


async def test_the_log_id_is_no_row() -> None:
    place = site()
    await place.write(place.topics.positions, Entry(LOG_ID_KEY, b"not json"), Entry(None, b"x"))
    async with _following(_board(place)) as board:
        await board.catch_up()
        assert board.rows("") == []


async def test_what_is_told_is_shown_here_at_once_and_written_soon() -> None:
    place = site()
    async with _writing(_board(place)) as board:
        board.tell("a", _row(1))
        assert board.row("a") == _row(1)
        await until(lambda: _written(place) == [("a", 1)])


async def test_of_several_rows_of_a_key_the_newest_is_written() -> None:
    place = site()
    async with _writing(_board(place)) as board:
        for number in range(100):
            board.tell("a", _row(number))
            board.tell("b", _row(number))
        await until(lambda: _written(place))
        assert _written(place) == [("a", 99), ("b", 99)]


async def test_what_is_published_is_not_written_again() -> None:
    place = site()
    async with _writing(_board(place)) as board:
        board.tell("a", _row(1))
        await board.publish("a", _row(2))
    assert _written(place) == [("a", 2)]


async def test_what_could_not_be_written_is_written_later() -> None:
    place, trouble = site(), Trouble()
    async with _writing(_board(place, trouble)) as board:
        board.tell("a", _row(1))
        board.tell("b", _row(1))
        await until(lambda: trouble.refused)
        board.tell("b", _row(2))
        trouble.lasts = False
        await until(lambda: _written(place))
        assert sorted(_written(place)) == [("a", 1), ("b", 2)]


async def test_what_is_still_untold_is_written_at_the_end() -> None:
    place = site()
    board = _board(place)
    board.tell("a", _row(1))
    await board.close()
    assert _written(place) == [("a", 1)]


async def test_a_log_that_is_away_does_not_hold_up_the_end() -> None:
    place = site()
    board = _board(place, Trouble())
    board.tell("a", _row(1))
    await board.close()
    assert _written(place) == []


async def test_what_was_being_written_at_the_end_is_written() -> None:
    place, gate = site(), Gate("append")
    gate.shut()
    async with _writing(_board(place, gate)) as board:
        board.tell("a", _row(1))
        await gate.reached.wait()
        gate.open()
    assert _written(place) == [("a", 1)]


async def test_a_publication_that_fails_is_its_callers_to_know() -> None:
    with pytest.raises(LogError):
        await _board(site(), Trouble()).publish("a", _row(1))


async def test_what_comes_back_of_the_log_is_no_news_beside_what_was_told_since() -> None:
    place = site()
    board = _board(place)
    await board.publish("reducer/0", {"epoch": 1, "state": "RESTORING"})
    board.tell("reducer/0", {"epoch": 1, "state": "RUNNING"})
    async with _following(board):
        await board.catch_up()
        row = board.row("reducer/0")
    assert row is not None
    assert row["state"] == "RUNNING"
    await board.close()


async def test_what_is_forgotten_while_others_are_written_is_forgotten_for_all() -> None:
    place, gate = site(), Gate("appended")
    async with _following(_board(place)) as other, _writing(_board(place, gate)) as board:
        board.tell("a", _row(1))
        await until(lambda: other.row("a"))
        gate.shut()
        board.tell("b", _row(2))
        await gate.reached.wait()
        board.forget("a")
        gate.open()
        await until(lambda: other.row("b"))
        await until(lambda: other.row("a") is None)


async def test_what_others_forgot_leaves_what_was_told_here_since() -> None:
    place = site()
    async with _following(_board(place)) as board:
        board.tell("a", _row(2))
        await place.write(place.topics.positions, Entry(b"a", None), Entry(b"b", b'{"epoch":1}'))
        await until(lambda: board.row("b"))
        assert board.row("a") == _row(2)


async def test_of_two_that_tell_at_once_all_hear_the_same_in_the_end() -> None:
    place, gate = site(), Gate("appended")
    slow = _board(place, gate)
    async with _following(slow), _writing(slow), _following(_board(place)) as other:
        gate.shut()
        slow.tell("a", _row(1, epoch=5))
        # It stands on the log, of which the teller does not know yet.
        await gate.reached.wait()
        await place.write(place.topics.positions, Entry(b"a", orjson.dumps(_row(2, epoch=5))))
        await slow.catch_up()
        gate.open()
        await until(lambda: other.row("a") == _row(2, epoch=5))
        await until(lambda: slow.row("a") == _row(2, epoch=5))


async def test_what_is_told_counts_more_than_what_was_marked_before() -> None:
    board = _board(site())
    board.mark("a", lambda: _row(1))
    board.tell("a", _row(2))
    assert board.row("a") == _row(2)
    board.mark("a", lambda: _row(3))
    assert board.row("a") == _row(3)
