"""The right to write a partition."""

import pytest

from docreactor.agents.lease import Lease
from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.ownership import Ownership
from docreactor.pipeline.errors import FencedError, LogError, RecordRefusedError
from docreactor.pipeline.position import Offset
from tests.support.nodes import Site, site

SMALL = Entry(b"k", b"v")
LARGE = Entry(b"k", b"v" * 1_000)


def _site() -> Site:
    place = site()
    place.limit(place.topics.operations, 500)
    return place


def _operations(place: Site) -> TopicPartition:
    return place.source(place.topics.operations)


async def _owner(place: Site) -> Ownership:
    return await Ownership.take(place.log(), place.source(place.topics.actions), "owner")


def _lease() -> Lease:
    return Lease(60.0, lambda: 1.0)


async def _write(place: Site, owner: Ownership, entry: Entry, consumed: int, lease: Lease) -> None:
    async with owner.transaction(Offset(consumed), lease) as transaction:
        await transaction.send({_operations(place): [entry]})


async def test_records_offset_and_lease_go_together() -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    assert not lease.held()
    await _write(place, owner, SMALL, 5, lease)
    assert lease.held()
    assert place.committed() == 5
    assert [one.value for one in place.records(place.topics.operations)] == [b"v"]


async def test_what_fails_inside_leaves_nothing_and_proves_nothing() -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    with pytest.raises(RuntimeError, match="stop"):
        async with owner.transaction(Offset(5), lease) as transaction:
            await transaction.send({_operations(place): [SMALL]})
            raise RuntimeError("stop")
    assert not lease.held()
    assert place.committed() is None
    assert place.records(place.topics.operations) == []


async def test_after_a_refusal_it_goes_on() -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    await _write(place, owner, SMALL, 1, lease)
    for _ in range(2):
        with pytest.raises(RecordRefusedError):
            await _write(place, owner, LARGE, 2, lease)
    assert place.committed() == 1
    await _write(place, owner, SMALL, 2, lease)
    assert place.committed() == 2


async def test_it_does_not_go_on_where_somebody_else_went_on() -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    await _write(place, owner, SMALL, 1, lease)
    # Commits in between, and is fenced when this one opens its id again.
    place.cluster.committed["test-reactor"][place.source(place.topics.actions)] = Offset(2)
    with pytest.raises(LogError, match="went on from 1"):
        await _write(place, owner, LARGE, 2, lease)


async def test_who_takes_it_over_fences_the_last() -> None:
    place, lease = _site(), _lease()
    first = await _owner(place)
    await _owner(place)
    with pytest.raises(FencedError):
        await _write(place, first, SMALL, 1, lease)
    assert not lease.held()


async def test_once_closed_it_writes_nothing() -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    await owner.close()
    await owner.close()
    with pytest.raises(LogError, match="closed"):
        await _write(place, owner, SMALL, 1, lease)
