"""The right to write a partition."""

import pytest

from docreactor.agents.lease import Lease
from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.log.memory_transactor import Hook
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


async def _owner(place: Site, hook: Hook | None = None) -> Ownership:
    actions = place.source(place.topics.actions)
    written = [_operations(place), place.source(place.topics.jobs)]
    return await Ownership.take(place.log(hook), actions, "owner", written)


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


def _values(place: Site) -> list[bytes]:
    return [one.value for one in place.records(place.topics.operations)]


def _is_open(place: Site) -> bool:
    partition = place.cluster.partition(_operations(place))
    return partition.visible_end(Isolation.COMMITTED) != partition.end


async def _lose_markers(place: Site, owner: Ownership, consumed: int, *, commit: bool) -> None:
    """One transaction whose marker on operations is lost."""
    place.cluster.leaderless = {_operations(place)}
    try:
        async with owner.transaction(Offset(consumed), _lease()) as transaction:
            await transaction.send({_operations(place): [Entry(b"k", b"lost")]})
            await transaction.send({place.source(place.topics.jobs): [SMALL]})
            if not commit:
                raise RuntimeError("abort")
    except RuntimeError:
        assert not commit
    place.cluster.leaderless.clear()
    assert _is_open(place)


@pytest.mark.parametrize("commit", [True, False])
async def test_what_lost_its_marker_is_ended_as_the_groups_offset_says(commit: bool) -> None:
    place, lease = _site(), _lease()
    owner = await _owner(place)
    await owner.mend({})
    await _write(place, owner, SMALL, 1, lease)
    await _lose_markers(place, owner, 2, commit=commit)

    heir = await _owner(place)
    await heir.mend({})

    assert not _is_open(place)
    assert place.committed() == (2 if commit else 1)
    assert _values(place) == ([b"v", b"lost"] if commit else [b"v"])
    await _write(place, heir, SMALL, 3, lease)
    assert _values(place) == ([b"v", b"lost", b"v"] if commit else [b"v", b"v"])


async def test_a_table_shows_what_was_committed_although_every_marker_was_lost() -> None:
    place = _site()
    owner = await _owner(place)
    await owner.mend({})
    await _lose_markers(place, owner, 7, commit=True)
    place.cluster.committed.clear()
    place.cluster.notes.clear()

    heir = await _owner(place)
    await heir.mend({place.topics.operations: Offset(1), place.topics.actions: Offset(7)})

    assert _values(place) == [b"lost"]
    assert place.committed() == 7


async def test_a_table_that_is_ahead_of_the_whole_log_shows_nothing() -> None:
    place = _site()
    owner = await _owner(place)
    await owner.mend({})
    await _lose_markers(place, owner, 7, commit=False)

    heir = await _owner(place)
    await heir.mend({place.topics.operations: Offset(99), place.topics.actions: Offset(7)})

    assert _values(place) == []
    assert place.committed() is None


async def test_where_nothing_is_open_no_transaction_mends() -> None:
    place, steps = _site(), list[str]()

    async def hook(step: str) -> None:
        steps.append(step)

    await _write(place, await _owner(place), SMALL, 1, _lease())
    owner = await _owner(place, hook)
    await owner.mend({place.topics.operations: Offset(1)})
    assert steps == ["open", "opened"]


async def test_nothing_begins_behind_records_that_lost_their_marker() -> None:
    place = _site()
    owner = await _owner(place)
    await owner.mend({})
    await _lose_markers(place, owner, 2, commit=True)
    with pytest.raises(LogError, match="has no marker there"):
        await _write(place, owner, SMALL, 3, _lease())

    heir = await _owner(place)
    await heir.mend({})

    assert _values(place) == [b"lost"]
    assert place.committed() == 2
