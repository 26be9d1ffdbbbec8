"""The history of a stream is read page by page, without gaps or repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docreactor.pipeline.canonical import decode
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.history import EffectiveHistory, Selection, find
from tests.tables.written import Written

STREAM = Stream("d", "global", "main")
EVERYTHING = Selection()
START_US = 1_700_000_000_000_000
COUNT = 250


def _time(index: int) -> str:
    """When the operation of this index was made; two come before it, the document's creation."""
    return render(Microseconds(START_US + (index + 3) * 1_000))


def _written() -> Written:
    written = Written()
    written.create("d")
    for index in range(COUNT):
        action_type = "REFUSE" if index % 10 == 0 else "ADD"
        written.append(STREAM, {"text": "x"}, action_type=action_type)
    return written


WRITTEN = _written()


@pytest.fixture(scope="module")
def written() -> Written:
    return WRITTEN


async def _all(
    written: Written,
    selection: Selection,
    *,
    limit: int,
    since: int = -1,
    effective: bool = False,
) -> list[int]:
    indexes: list[int] = []
    following: int | None = since
    look = EffectiveHistory().find if effective else find
    while following is not None:
        page = await look(written.operations, STREAM, selection, since=following, limit=limit)
        assert len(page.operations) <= limit
        indexes += [index for index, _ in page.operations]
        following = page.next_since
    return indexes


async def test_since_is_exclusive_and_minus_one_is_everything(written: Written) -> None:
    assert await _all(written, EVERYTHING, limit=1_000) == list(range(COUNT))
    assert await _all(written, EVERYTHING, limit=1_000, since=0) == list(range(1, COUNT))
    assert await _all(written, EVERYTHING, limit=1_000, since=COUNT) == []


async def test_what_is_found_are_the_stored_bytes(written: Written) -> None:
    page = await find(written.operations, STREAM, EVERYTHING, since=6, limit=1)

    assert page.operations == [(7, written.operations.get(STREAM, 7))]


async def test_the_last_page_says_that_it_is_the_last(written: Written) -> None:
    exact = await find(written.operations, STREAM, EVERYTHING, since=COUNT - 11, limit=10)
    shorter = await find(written.operations, STREAM, EVERYTHING, since=COUNT - 11, limit=9)

    assert exact.next_since is None
    assert shorter.next_since == COUNT - 2


async def test_several_types_are_alternatives(written: Written) -> None:
    refused = Selection(types=frozenset({"REFUSE"}))
    both = Selection(types=frozenset({"REFUSE", "ADD", "OTHER"}))

    assert await _all(written, refused, limit=7) == list(range(0, COUNT, 10))
    assert await _all(written, both, limit=7) == list(range(COUNT))


async def test_both_ends_of_a_time_are_included(written: Written) -> None:
    selection = Selection(from_=_time(20), to=_time(30))

    found = await find(written.operations, STREAM, selection, limit=1_000)
    assert [index for index, _ in found.operations] == list(range(20, 31))
    assert decode(found.operations[0][1])["timestamp"] == _time(20)


async def test_all_conditions_hold_together(written: Written) -> None:
    selection = Selection(frozenset({"REFUSE"}), from_=_time(15), to=_time(50))

    assert await _all(written, selection, limit=2, since=20) == [30, 40, 50]


async def test_an_unknown_stream_has_an_empty_history(written: Written) -> None:
    page = await find(written.operations, Stream("x", "global", "main"), EVERYTHING, limit=10)

    assert page.operations == []
    assert page.next_since is None


async def test_a_long_search_can_be_cancelled(written: Written) -> None:
    nothing = Selection(types=frozenset({"OTHER"}))
    search = asyncio.create_task(find(written.operations, STREAM, nothing, limit=1))
    await asyncio.sleep(0)
    search.cancel()

    with pytest.raises(asyncio.CancelledError):
        await search


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(1, 300),
    since=st.integers(-1, COUNT),
    types=st.frozensets(st.sampled_from(["ADD", "REFUSE"])),
    window=st.none() | st.tuples(st.integers(0, COUNT), st.integers(0, COUNT)),
)
def test_pages_of_any_size_give_every_wanted_operation_once(
    limit: int, since: int, types: frozenset[str], window: tuple[int, int] | None
) -> None:
    bounds = () if window is None else (_time(window[0]), _time(window[1]))
    found = asyncio.run(_all(WRITTEN, Selection(types, *bounds), limit=limit, since=since))

    assert found == [
        index
        for index in range(since + 1, COUNT)
        if (not types or ("REFUSE" if index % 10 == 0 else "ADD") in types)
        and (window is None or window[0] <= index <= window[1])
    ]


def _superseding(skips: Sequence[int]) -> Written:
    """A stream whose operations skip so many indexes before them."""
    written = Written()
    written.create("d")
    for index, skip in enumerate(skips):
        written.append(
            STREAM, {"text": "x"}, action_type="REFUSE" if index % 3 else "ADD", skip=skip
        )
    return written


def _standing(skips: Sequence[int]) -> list[int]:
    """The indexes that no later operation supersedes, ascending."""
    kept: list[int] = []
    index = len(skips) - 1
    while index >= 0:
        kept.append(index)
        index -= skips[index] + 1
    return kept[::-1]


@pytest.mark.parametrize(
    ("skips", "standing"),
    [
        ((0, 0, 0), [0, 1, 2]),
        ((0, 1, 0), [1, 2]),
        ((0, 1, 0, 1), [1, 3]),
        ((0, 1, 0, 3), [3]),
        ((0, 0, 1), [0, 2]),
        ((0, 0, 1, 0, 3, 0, 0), [0, 4, 5, 6]),
    ],
)
async def test_the_effective_history_leaves_out_what_is_superseded(
    skips: tuple[int, ...], standing: list[int]
) -> None:
    assert await _all(_superseding(skips), EVERYTHING, limit=100, effective=True) == standing


async def test_the_effective_history_of_an_unknown_stream_is_empty(written: Written) -> None:
    page = await EffectiveHistory().find(
        written.operations, Stream("x", "global", "main"), EVERYTHING, limit=10
    )

    assert (page.operations, page.next_since) == ([], None)


async def test_the_last_page_of_an_effective_history_says_so() -> None:
    look = partial(
        EffectiveHistory().find, _superseding((0, 0, 1, 0)).operations, STREAM, EVERYTHING
    )

    assert (await look(limit=3)).next_since is None
    assert (await look(limit=2)).next_since == 2


async def test_an_operation_that_comes_while_pages_are_turned_takes_its_effect() -> None:
    written, history = _superseding((0, 0, 0, 0)), EffectiveHistory()
    look = partial(history.find, written.operations, STREAM, EVERYTHING, limit=2)
    first = await look()
    assert first.next_since is not None
    written.append(STREAM, {"text": "x"}, skip=2)
    second = await look(since=first.next_since)
    again = await look()

    assert [index for index, _ in first.operations] == [0, 1]
    assert [index for index, _ in second.operations] == [4]
    assert [index for index, _ in again.operations] == [0, 1]


@settings(max_examples=60, deadline=None)
@given(
    skips=st.integers(1, 130).flatmap(
        lambda count: st.tuples(*(st.integers(0, min(index, 9)) for index in range(count)))
    ),
    limit=st.integers(1, 40),
    since=st.integers(-1, 60),
    types=st.frozensets(st.sampled_from(["ADD", "REFUSE"])),
)
def test_pages_of_an_effective_history_have_no_gap_and_no_repeat(
    skips: tuple[int, ...], limit: int, since: int, types: frozenset[str]
) -> None:
    written = _superseding(skips)
    found = asyncio.run(_all(written, Selection(types), limit=limit, since=since, effective=True))

    assert found == [
        index
        for index in _standing(skips)
        if index > since and (not types or ("REFUSE" if index % 3 else "ADD") in types)
    ]
