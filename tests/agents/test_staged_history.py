"""A stream's operations as the running batch has them."""

from __future__ import annotations

import pytest

from docreactor.agents.staged_history import StagedHistory
from docreactor.agents.staging import NO_OPERATIONS, StreamStage
from tests.tables.written import Written, home

STREAM = home("d1")._replace(scope="global")


def _history(stored: int, staged: int) -> tuple[StagedHistory, list[bytes]]:
    """So many stored operations, then so many staged ones; and all of them."""
    written = Written()
    written.create("d1")
    if stored:
        written.add(STREAM, stored)
    stage = StreamStage(STREAM, StreamStage(home("d1"), None))
    stage.load(NO_OPERATIONS._replace(next_index=stored))
    history = StagedHistory(written.operations, stage)
    stage.staged += [b"staged %d" % number for number in range(staged)]
    rows = [content for _, content in written.operations.page(STREAM, 0, 1000)]
    return history, rows + stage.staged


@pytest.mark.parametrize(("stored", "staged"), [(0, 0), (0, 4), (4, 0), (3, 4), (1, 1)])
def test_stored_and_staged_operations_are_one_history(stored: int, staged: int) -> None:
    history, every = _history(stored, staged)
    count = len(every)
    assert count == stored + staged
    assert history.get_many(STREAM, range(count + 2)) == [*every, None, None]
    for index in range(count + 1):
        for size in (1, 2, count + 1):
            expected = list(enumerate(every))[index : index + size]
            assert history.page(STREAM, index, size) == expected
            down = list(enumerate(every))[: index + 1][-size:]
            assert history.page_back(STREAM, index, size) == down[::-1]


def test_what_is_staged_later_shows_too() -> None:
    written = Written()
    written.create("d1")
    stage = StreamStage(STREAM, None)
    history = StagedHistory(written.operations, stage)
    assert history.get(STREAM, 0) is None
    stage.staged.append(b"staged")
    assert history.get(STREAM, 0) == b"staged"
    del stage.staged[:]
    assert history.page(STREAM, 0, 10) == []
