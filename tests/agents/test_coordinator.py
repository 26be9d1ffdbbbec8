"""How far read models are, as one node knows it from the board."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from docreactor.agents.board import Board
from docreactor.agents.coordinator import Coordinator, ready_key, view_key
from docreactor.pipeline.errors import (
    NothingToRollBackError,
    NotYetVisibleError,
    ReadModelNotRetirableError,
    RestoringError,
    UnknownReadModelError,
)
from docreactor.pipeline.position import Offset, Partition, Position
from tests.support.nodes import LOG_ID, site

WORDS = "words"


class Told:
    """A board, and the coordinator that reads it."""

    def __init__(self, partitions: int = 2) -> None:
        place = site()
        self.board = Board(place.log(), place.topics)
        self.coordinator = Coordinator(self.board, LOG_ID, partitions)

    def view(
        self,
        partition: int,
        next_offset: int | None,
        *,
        name: str = WORDS,
        generation: int = 0,
        serving: bool = True,
        caught_up: bool = True,
    ) -> None:
        row = {
            "caught_up": caught_up,
            "epoch": 1,
            "generation": generation,
            "name": name,
            "next_offset": next_offset,
            "partition": partition,
            "serving": serving,
        }
        self.board.tell(view_key(name, generation, partition), row)

    def ready(self, partition: int, next_offset: int) -> None:
        self.board.tell(ready_key(partition), {"epoch": 1, "next_offset": next_offset})


def _position(*offsets: int) -> Position:
    return Position(LOG_ID, {Partition(at): Offset(one) for at, one in enumerate(offsets) if one})


def test_positions_are_those_of_the_serving_generations_and_never_go_back() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    told.view(0, 7)
    told.view(1, 3, serving=False)
    told.view(1, None)
    assert told.coordinator.position(WORDS) == _position(7)
    told.view(0, 2)
    told.ready(0, 5)
    told.ready(0, 4)
    assert told.coordinator.position(WORDS) == _position(7)
    assert told.coordinator.position() == _position(5)
    assert told.coordinator.ready(0).next_offset == 5


async def test_a_wait_ends_when_every_partition_is_there() -> None:
    told = Told()
    waiting = asyncio.create_task(told.coordinator.wait(_position(5, 2), 10.0))
    told.ready(0, 6)
    await asyncio.sleep(0)
    assert not waiting.done()
    told.ready(1, 2)
    await waiting
    await told.coordinator.wait(Position(LOG_ID, {}), 0.0)


async def test_a_wait_that_runs_out_tells_both_positions() -> None:
    told = Told()
    told.ready(0, 1)
    with pytest.raises(NotYetVisibleError) as caught:
        await told.coordinator.wait(_position(5), 0.0)
    assert caught.value.facts == {
        "wanted": _position(5).token,
        "reached": _position(1).token,
    }
    with pytest.raises(NotYetVisibleError):
        await told.coordinator.wait(_position(0, 0, 0, 9), 0.0)


async def test_one_that_is_cancelled_or_runs_out_leaves_the_others_waiting() -> None:
    told = Told()
    first, second = (
        asyncio.create_task(told.coordinator.wait(_position(5), 10.0)) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(NotYetVisibleError):
        await told.coordinator.wait(_position(5), 0.0)
    told.ready(0, 5)
    await second


def test_a_users_read_model_is_required_once_every_partition_has_caught_up() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    told.view(0, 7)
    told.view(1, 7, caught_up=False)
    assert told.coordinator.required == ["documents", "relationships"]
    told.view(1, 8)
    assert told.coordinator.required == ["documents", "relationships", WORDS]


def test_a_newer_version_is_built_beside_the_old_one_and_an_older_one_changes_nothing() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 2)
    told.coordinator.declare(WORDS, 2)
    told.coordinator.declare(WORDS, 1)
    assert told.coordinator.model(WORDS).versions == {0: 2}
    told.coordinator.declare(WORDS, 3)
    assert told.coordinator.model(WORDS).versions == {0: 2, 1: 3}


def test_the_generation_that_all_can_answer_from_is_the_one_wanted_else_the_newest() -> None:
    told = Told()
    assert told.coordinator.common(WORDS) is None
    told.coordinator.declare(WORDS, 1)
    assert told.coordinator.common(WORDS) is None
    for partition in range(2):
        told.view(partition, 1)
    told.coordinator.rebuild(WORDS)
    told.view(0, 1, generation=1, serving=True)
    assert told.coordinator.common(WORDS) == 0
    told.view(1, 1, generation=1, serving=False)
    assert told.coordinator.common(WORDS) == 1
    told.coordinator.roll_back(WORDS)
    assert told.coordinator.common(WORDS) == 0
    assert told.coordinator.served(WORDS, 0) == 1
    assert told.coordinator.served(WORDS, 7) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.rebuild("nobody"),
        lambda one: one.position("nobody"),
        lambda one: one.retire("nobody"),
    ],
)
def test_what_nobody_runs_is_refused_by_name(change: Callable[[Coordinator], object]) -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    with pytest.raises(UnknownReadModelError) as caught:
        change(told.coordinator)
    assert caught.value.facts == {"name": "nobody", "known": [WORDS]}


def test_the_platforms_own_stay_and_nothing_is_put_back_that_is_not_kept() -> None:
    told = Told()
    told.coordinator.declare("documents", 1)
    with pytest.raises(ReadModelNotRetirableError):
        told.coordinator.retire("documents")
    with pytest.raises(NothingToRollBackError):
        told.coordinator.roll_back("documents")
    told.coordinator.rebuild("documents")
    assert told.coordinator.finish("documents").kept == [1]


def test_a_retired_read_model_is_waited_for_no_more_and_may_come_again() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    for partition in range(2):
        told.view(partition, 1)
    assert WORDS in told.coordinator.required
    told.coordinator.retire(WORDS)
    assert WORDS not in told.coordinator.required
    with pytest.raises(UnknownReadModelError) as caught:
        told.coordinator.kept(WORDS)
    assert caught.value.facts == {"name": WORDS, "known": []}
    told.coordinator.declare(WORDS, 2)
    assert told.coordinator.model(WORDS).versions == {0: 1}
    told.coordinator.revive(WORDS)
    assert not told.coordinator.model(WORDS).is_retired


def test_what_is_not_retired_is_waited_for_whoever_revives_it() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    for partition in range(2):
        told.view(partition, 1)
    assert told.coordinator.revive(WORDS).is_required
    assert WORDS in told.coordinator.required


def test_one_that_comes_again_is_waited_for_once_it_has_caught_up_again() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    for partition in range(2):
        told.view(partition, 1)
    told.coordinator.retire(WORDS)
    # Its last word, from who has not heard yet.
    told.view(0, 2, serving=False)
    told.coordinator.revive(WORDS)
    told.view(0, 1, caught_up=False)
    told.view(0, 2)
    assert WORDS not in told.coordinator.required
    assert told.coordinator.common(WORDS) is None
    told.view(1, 2)
    assert WORDS in told.coordinator.required


def test_of_a_generation_that_is_dropped_nothing_is_known_any_more() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    told.coordinator.rebuild(WORDS)
    for partition in range(2):
        told.view(partition, 1)
        told.view(partition, 1, generation=1)
    assert told.coordinator.common(WORDS) == 1
    told.coordinator.roll_back(WORDS)
    told.coordinator.finish(WORDS)
    told.view(0, 1, generation=1)
    told.coordinator.rebuild(WORDS)
    assert told.coordinator.model(WORDS).generation == 2
    assert told.coordinator.common(WORDS) == 0


def test_while_partitions_serve_apart_no_list_is_answered_from_all_of_them() -> None:
    told = Told()
    told.coordinator.declare(WORDS, 1)
    assert told.coordinator.answering(WORDS) is None
    told.view(0, 1)
    assert told.coordinator.answering(WORDS) is None
    told.coordinator.rebuild(WORDS)
    told.view(1, 1, generation=1)
    with pytest.raises(RestoringError, match="between two generations of words"):
        told.coordinator.answering(WORDS)
    told.view(0, 1, generation=1)
    assert told.coordinator.answering(WORDS) == 1
