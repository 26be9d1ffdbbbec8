"""What one transaction changed in one partition of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import pytest

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch, Batches
from docreactor.gateway.events.operations_fold import OperationsFold
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import creation, operation, records, scene
from tests.support.nodes import LOG_ID

SOURCE = TopicPartition("test.operations", 0)


def batches(next_offset: int = 0) -> Batches:
    return Batches(SOURCE, Offset(next_offset), partial(OperationsFold, LOG_ID))


def ranges(found: Sequence[Batch]) -> list[tuple[int, int]]:
    return [(batch.start, batch.end) for batch in found]


@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 100])
async def test_a_batch_is_one_transaction_in_whatever_pieces_it_is_fetched(pieces: int) -> None:
    async with scene() as here:
        await here.store(*creation("d1"), operation("d1"))
        await here.store(operation("d2"), operation("d2", index=1))
        stored = records(here.place, SOURCE.topic)
    putting_together, found = batches(), list[Batch]()

    for start in range(0, len(stored), pieces):
        piece = stored[start : start + pieces]
        found += putting_together.take(piece, Offset(piece[-1].offset + 1))
    assert putting_together.is_open
    found += putting_together.take([], Offset(7))

    assert ranges(found) == [(0, 3), (4, 6)]
    assert not putting_together.is_open
    assert putting_together.next_offset == 7


async def test_what_no_marker_ends_is_ended_by_hand() -> None:
    async with scene() as here:
        await here.place.write(SOURCE.topic, operation("d1"), operation("d2"))
        stored = records(here.place, SOURCE.topic)
    putting_together = batches()

    assert list(putting_together.take(stored, Offset(2))) == []
    assert putting_together.start == 0
    assert ranges(list(putting_together.close())) == [(0, 2)]
    assert list(putting_together.close()) == []
    assert putting_together.start == 2


async def test_a_batch_without_an_end_is_cut_where_it_holds_many_documents() -> None:
    many = [operation(f"d{at}") for at in range(10_001)]
    async with scene() as here:
        await here.place.write(SOURCE.topic, *many)
        stored = records(here.place, SOURCE.topic)

    found = list(batches().take(stored, Offset(len(many) + 1)))

    assert ranges(found) == [(0, 10_000), (10_000, 10_001)]


async def test_after_each_event_it_says_below_which_offset_everything_was_told() -> None:
    async with scene() as here:
        await here.store(*(operation(f"d{at}") for at in range(3)))
        stored = records(here.place, SOURCE.topic)

    (batch,) = batches().take(stored, Offset(4))

    done = [batch.done(at) for at in range(3)]
    assert done == [1, 2, 3]
    assert all(
        batch.notices[at].offset < below <= following.offset
        for at, (below, following) in enumerate(zip(done, batch.notices[1:], strict=False))
    )
    assert all(one < other for one, other in pairwise(done))
