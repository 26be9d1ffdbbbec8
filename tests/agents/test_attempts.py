"""How often a batch has ended its worker."""

from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from docreactor.agents.attempts import ALONE_AFTER_KILLS, Attempts
from docreactor.agents.board import Board, attempts_key
from docreactor.pipeline.position import Offset
from tests.support.nodes import Site, site


@asynccontextmanager
async def _board(place: Site) -> AsyncIterator[Board]:
    board = Board(place.log(), place.topics)
    async with TaskGroup() as tasks:
        following = tasks.create_task(board.follow())
        await board.catch_up()
        yield board
        following.cancel()


async def _begin(place: Site, node: str, epoch: int, committed: int = 7) -> Attempts:
    async with _board(place) as board:
        return await Attempts.begin(board, 0, node=node, epoch=epoch, committed=Offset(committed))


async def test_each_worker_that_begins_at_the_same_offset_is_counted() -> None:
    place = site()
    counts = [(await _begin(place, f"n{at}", at)).count for at in range(1, 4)]
    assert counts == [1, 2, 3]


async def test_a_worker_that_begins_elsewhere_counts_anew() -> None:
    place = site()
    await _begin(place, "n1", 1)
    assert (await _begin(place, "n2", 2, committed=8)).count == 1


async def test_jobs_run_one_at_a_time_after_their_batch_has_killed_twice() -> None:
    place = site()
    alone = [(await _begin(place, f"n{at}", at)).one_at_a_time for at in range(1, 4)]
    assert alone == [False] * ALONE_AFTER_KILLS + [True]


async def test_a_job_that_ran_alone_and_is_found_again_is_the_killer() -> None:
    place = site()
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n1", epoch=1, committed=Offset(7))
        await attempts.run_alone(Offset(9), Offset(9))
    assert (await _begin(place, "n2", 2, committed=9)).killer == 9


async def test_a_deferred_job_that_ran_alone_is_found_below_what_is_committed() -> None:
    place = site()
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n1", epoch=1, committed=Offset(7))
        await attempts.run_alone(Offset(3), Offset(7))
    again = await _begin(place, "n2", 2, committed=7)
    assert (again.killer, again.count) == (3, 2)


async def test_a_job_that_ran_alone_and_was_committed_is_not() -> None:
    place = site()
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n1", epoch=1, committed=Offset(7))
        await attempts.run_alone(Offset(9), Offset(9))
    assert (await _begin(place, "n2", 2, committed=10)).killer is None


async def test_a_life_that_ends_while_its_process_goes_on_ended_nobody() -> None:
    place = site()
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n1", epoch=1, committed=Offset(7))
        await attempts.run_alone(Offset(7), Offset(7))
    again = await _begin(place, "n1", 2)
    assert (again.count, again.killer) == (1, None)


async def test_to_go_on_in_the_same_process_forgets_no_kill_before_it() -> None:
    place = site()
    for at in range(1, 4):
        await _begin(place, f"n{at}", at)
    assert (await _begin(place, "n3", 4)).one_at_a_time


async def test_a_batch_that_went_through_ended_nobody() -> None:
    place = site()
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n1", epoch=1, committed=Offset(7))
        await attempts.run_alone(Offset(7), Offset(7))
        await attempts.survived()
        assert not attempts.one_at_a_time
    again = await _begin(place, "n2", 2)
    assert (again.count, again.killer) == (1, None)


async def test_a_clean_leave_begins_the_count_anew() -> None:
    place = site()
    for at in range(1, 3):
        await _begin(place, f"n{at}", at)
    async with _board(place) as board:
        attempts = await Attempts.begin(board, 0, node="n3", epoch=3, committed=Offset(7))
        await attempts.leave()
    assert (await _begin(place, "n4", 4)).count == 1


async def test_the_count_is_on_the_log_before_anything_runs() -> None:
    place = site()
    await _begin(place, "n1", 1)
    async with _board(place) as board:
        assert board.row(attempts_key(0)) == {
            "alone": None,
            "count": 1,
            "epoch": 1,
            "node": "n1",
            "offset": 7,
        }
