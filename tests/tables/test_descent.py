"""The way down a history: what still stands, and what of that counts."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from docreactor.pipeline.errors import CorruptHistoryError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.tables.descent import ORIGIN, Descent, standing
from tests.support import oracle

STREAM = Stream("d1", "global", "main")
T0 = "2026-11-21T00:00:00.000000Z"


class Told:
    """A history in short, `type skip` or `type skip !` for one with an error; counts its pages."""

    def __init__(self, *operations: str, gap: int | None = None) -> None:
        self.operations = [self._operation(at, *one.split()) for at, one in enumerate(operations)]
        self.rows = [(one.index, one.encode()) for one in self.operations if one.index != gap]
        self.pages: list[int] = []

    def _operation(
        self, index: int, kind: str, skip: str = "0", error: str | None = None
    ) -> Operation:
        stored = StoredAction(f"a{index}", kind, "global", T0)
        return Operation("0" * 32, "t/x", index, int(skip), T0, "h", None, error, stored)

    def get(self, stream: Stream, index: int) -> bytes | None:
        return dict(self.rows).get(index)

    def get_many(self, stream: Stream, indexes: Sequence[int]) -> list[bytes | None]:
        return [self.get(stream, index) for index in indexes]

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        return [row for row in self.rows if row[0] >= first_index][:count_max]

    def page_back(self, stream: Stream, last_index: int, count_max: int) -> list[tuple[int, bytes]]:
        self.pages.append(count_max)
        return [row for row in self.rows[::-1] if row[0] <= last_index][:count_max]


async def _standing(history: Told, last: int | None = None) -> list[tuple[int, int]]:
    """Index and logical index of what stands, the oldest first."""
    last = len(history.rows) - 1 if last is None else last
    found = [(index, low) async for index, low, _ in standing(history, STREAM, last)]
    return found[::-1]


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (["ADD 0", "ADD 0", "ADD 0"], [0, 1, 2]),
        (["ADD 0", "ADD 1", "ADD 0"], [1, 2]),
        (["ADD 0", "ADD 1", "ADD 0", "ADD 1"], [1, 3]),
        (["ADD 0", "ADD 1", "ADD 0", "ADD 3"], [3]),
        (["ADD 0", "ADD 0", "ADD 1"], [0, 2]),
        (["ADD 0", "ADD 0", "ADD 1", "ADD 3", "ADD 0"], [3, 4]),
        ([], []),
    ],
)
async def test_what_a_skip_goes_back_over_stands_no_more(
    history: list[str], expected: list[int]
) -> None:
    told = Told(*history)
    assert [index for index, _ in await _standing(told)] == expected
    assert [one.index for one in oracle.effective(told.operations)] == expected


async def test_the_logical_index_is_the_lowest_that_is_superseded() -> None:
    assert await _standing(Told("ADD 0", "ADD 0", "ADD 1", "ADD 0")) == [(0, 0), (2, 1), (3, 3)]


async def test_an_earlier_state_of_the_history_does_not_know_what_came_later() -> None:
    told = Told("ADD 0", "ADD 0", "ADD 2")
    assert [index for index, _ in await _standing(told, 1)] == [0, 1]


async def test_a_skip_may_go_back_over_more_than_a_page() -> None:
    told = Told(*["ADD 0"] * 300, "ADD 250", *["ADD 0"] * 150)
    indexes = [index for index, _ in await _standing(told)]
    assert indexes == [*range(50), *range(300, 451)]
    assert len(told.pages) <= 5


async def test_a_short_way_reads_a_short_page() -> None:
    told = Told(*["ADD 0"] * 300)
    async for _ in standing(told, STREAM, 299):
        break
    assert told.pages == [10]


@pytest.mark.parametrize("gap", [0, 1, 2, 3])
async def test_a_gap_is_a_corrupt_history(gap: int) -> None:
    with pytest.raises(CorruptHistoryError, match=f"no operation {gap}"):
        await _standing(Told(*["ADD 0"] * 4, gap=gap), 3)


async def test_a_skip_below_the_first_is_a_corrupt_history() -> None:
    history = Told("ADD 0", "ADD 2")
    with pytest.raises(CorruptHistoryError, match="skips below the first"):
        await _standing(history)
    with pytest.raises(CorruptHistoryError, match="skips 2"):
        await Descent(history, STREAM, 1).reach(ORIGIN)


async def _counting(*history: str, marker: str | None = None) -> list[int]:
    descent = Descent(Told(*history), STREAM, len(history) - 1, marker=marker)
    await descent.reach(ORIGIN)
    return descent.counting(ORIGIN)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (["ADD", "ADD", "UNDO"], [0]),
        (["ADD", "ADD", "UNDO", "REDO"], [0, 1]),
        (["ADD", "ADD", "UNDO", "ADD 1"], [0, 1, 3]),
        (["ADD", "ADD", "UNDO", "ADD 2", "ADD"], [0, 3, 4]),
        (["ADD", "ADD 1", "UNDO"], []),
        (["ADD", "ADD 0 ValueError", "UNDO"], []),
        (["ADD", "NOOP", "UNDO"], [1]),
    ],
)
async def test_skips_are_resolved_before_undos(history: list[str], expected: list[int]) -> None:
    assert await _counting(*history) == expected
    told = Told(*history)
    assert [one.index for one in oracle.live(oracle.effective(told.operations))] == expected


async def test_a_marker_may_follow_the_target() -> None:
    assert await _counting("ADD", "ADD", marker="UNDO") == [0]
    assert await _counting("ADD", "ADD", "UNDO", marker="REDO") == [0, 1]


async def _serving(*history: str, marker: str | None = None) -> list[int]:
    """The labels of which a state serves."""
    descent, found = Descent(Told(*history), STREAM, len(history) - 1, marker=marker), []
    for label in range(len(history) - 1, ORIGIN - 1, -1):
        await descent.reach(label)
        if descent.serves(label):
            found.append(label)
    return found[::-1]


async def test_a_state_serves_until_something_goes_back_over_it() -> None:
    assert await _serving("ADD", "ADD", "ADD") == [-1, 0, 1, 2]
    assert await _serving("ADD", "ADD", "ADD 1") == [-1, 0, 2]
    assert await _serving("ADD", "ADD", "ADD 1", "ADD") == [-1, 0, 2, 3]
    assert await _serving("ADD", "ADD", "ADD", "ADD 3") == [-1, 3]


async def test_a_state_does_not_serve_where_an_undo_reaches_below_it() -> None:
    assert await _serving("ADD", "ADD", "UNDO") == [-1, 0, 2]
    assert await _serving("ADD", "ADD", "UNDO", "UNDO") == [-1, 3]
    assert await _serving("ADD", "ADD", "UNDO", "ADD") == [-1, 0, 2, 3]
    assert await _serving("ADD", "ADD", marker="UNDO") == [-1, 0]
    assert await _serving("ADD", marker="REDO") == [], "it has nothing to redo"


async def test_it_tells_whether_markers_stand_among_what_was_looked_at() -> None:
    descent = Descent(Told("ADD", "UNDO", "ADD", "ADD"), STREAM, 3)
    await descent.reach(1)
    assert descent.is_plain
    await descent.reach(ORIGIN)
    assert not descent.is_plain


async def test_a_gap_on_the_way_is_a_corrupt_history() -> None:
    for gap in range(4):
        with pytest.raises(CorruptHistoryError):
            await Descent(Told(*["ADD"] * 4, gap=gap), STREAM, 3).reach(ORIGIN)
