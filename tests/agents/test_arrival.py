"""Taking a partition over: where it goes on, and which rows it trusts."""

import asyncio
from typing import Any

import orjson
import pytest

from docreactor.agents.board import reducer_key
from docreactor.agents.log import Entry
from docreactor.agents.node import Node
from docreactor.agents.shelf import DOCUMENTS_SCHEMA, WRITE_SCHEMA
from docreactor.pipeline.errors import (
    ActionsLostError,
    FencedError,
    OffsetsLostError,
    StoreLockedError,
)
from docreactor.pipeline.position import Offset
from docreactor.tables.store import Row, Store, StoreIdentity
from tests.support.nodes import (
    LOG_ID,
    KeptStore,
    Site,
    counted,
    done,
    live,
    operations,
    site,
    total,
    until,
)

ADD = "ADD"
OTHER_LOG = "f" * 32


async def _written(place: Site, amounts: int = 3) -> None:
    """A ledger, by a process that has left."""
    async with place.node() as node:
        await done(node, place.creation("d1"))
        for amount in range(1, amounts + 1):
            result = await done(node, place.job("d1", [(ADD, {"amount": amount})]))
            assert result.error is None


def _rows(place: Site) -> dict[str, list[tuple[bytes, bytes]]]:
    """Everything that the tables hold."""
    return {name: list(store.scan(b"\x00", b"\xff")) for name, store in place.stores.items()}


def _lose_offsets(place: Site) -> None:
    place.cluster.committed.clear()


async def _failed(place: Site) -> BaseExceptionGroup[BaseException]:
    with pytest.raises(BaseExceptionGroup) as caught:
        async with place.node(ready=False):
            await asyncio.sleep(10.0)
    return caught.value


async def test_without_an_offset_an_empty_partition_begins_at_0() -> None:
    place = site()
    job = place.creation("d1")
    await place.enqueue(job)
    async with place.node() as node:
        await done(node, place.job("d1", [(ADD, {"amount": 2})]))
        assert await total(node, "d1") == 2


async def test_it_goes_on_at_the_committed_offset() -> None:
    place = site()
    await _written(place)
    before = place.committed()
    async with place.node() as node:
        assert place.committed() == before
        await done(node, place.job("d1", [(ADD, {"amount": 10})]))
        assert await total(node, "d1") == 16
        assert [one.index for one in operations(node, "d1")] == [0, 1, 2, 3]


async def test_an_offset_that_the_group_lost_is_known_to_the_tables() -> None:
    place = site()
    await _written(place)
    before = place.committed()
    results = len(place.records(place.topics.jobs))
    _lose_offsets(place)
    async with place.node() as node:
        assert place.committed() == before
        assert await total(node, "d1") == 6
    assert len(place.records(place.topics.jobs)) == results


@pytest.mark.parametrize("log_id", [None, OTHER_LOG])
async def test_without_any_offset_it_refuses_to_guess(log_id: str | None) -> None:
    place = site()
    await _written(place)
    _lose_offsets(place)
    if log_id is None:
        place.stores.clear()
    else:
        actions = place.topics.actions
        place.stores["0/write"].begin(StoreIdentity(log_id, WRITE_SCHEMA))
        place.stores["0/write"].write([], {actions: Offset(1)}, now_ms=1)
    failure = await _failed(place)
    assert failure.subgroup(OffsetsLostError) is not None
    assert place.committed() is None


async def test_actions_that_were_deleted_unread_end_the_process() -> None:
    place = site()
    await _written(place)
    await place.enqueue(place.job("d1", [(ADD, {"amount": 1})]))
    actions = place.source(place.topics.actions)
    place.cluster.truncate(actions, before=Offset(place.cluster.partition(actions).end))
    failure = await _failed(place)
    assert failure.subgroup(ActionsLostError) is not None


async def test_what_the_last_owner_has_open_never_shows() -> None:
    place = site()
    await _written(place)
    transactor = await place.log().transactor("test-actions-0")
    with pytest.raises(FencedError):
        async with transactor.transaction() as transaction:
            zombie = Entry(b"d1/global/main/0000000003", b"{}")
            await transaction.send({place.source(place.topics.operations): [zombie]})
            async with place.node() as node:
                assert len(operations(node, "d1")) == 3
    assert all(one.value != b"{}" for one in place.records(place.topics.operations))


@pytest.mark.parametrize(("log_id", "newer"), [(OTHER_LOG, 0), (LOG_ID, 1), (LOG_ID, -1)])
async def test_rows_of_another_log_or_schema_are_built_again(log_id: str, newer: int) -> None:
    place = site()
    await _written(place)
    expected = _rows(place)
    for name, schema in (("0/write", WRITE_SCHEMA), ("0/documents", DOCUMENTS_SCHEMA)):
        store = place.stores[name]
        store.begin(StoreIdentity(log_id, schema + newer))
        store.write([Row(b"o/strange", b"row")], {}, now_ms=1)
    async with place.node() as node:
        assert await total(node, "d1") == 6
    assert _rows(place) == expected


async def test_a_store_that_is_ahead_of_the_log_is_built_again() -> None:
    place = site()
    await _written(place)
    expected = _rows(place)
    store = place.stores["0/documents"]
    store.write([Row(b"s/strange", b"row")], {place.topics.operations: Offset(999)}, now_ms=1)
    async with place.node():
        pass
    assert _rows(place) == expected


async def test_lost_tables_come_back_as_they_were() -> None:
    place = site()
    await _written(place)
    expected = _rows(place)
    place.stores.clear()
    async with place.node():
        pass
    assert _rows(place) == expected


async def test_lost_keyframes_come_back_too() -> None:
    place = site(keyframe_policy="fixed", keyframe_interval=2)
    await _written(place, amounts=9)
    expected = [key for key, _ in _rows(place)["0/write"] if key.startswith(b"k/")]
    assert expected
    place.stores.clear()
    async with place.node():
        pass
    assert [key for key, _ in _rows(place)["0/write"] if key.startswith(b"k/")] == expected


async def test_only_the_tail_is_read() -> None:
    place = site()
    await _written(place)
    kept = {name: _copy(store) for name, store in place.stores.items()}
    async with place.node() as node:
        await done(node, place.job("d1", [(ADD, {"amount": 4})]))
    place.stores = kept
    async with place.node() as node:
        # One operation into both tables, and one job's result.
        assert counted(node, "restored_records_total") == 3
        assert await total(node, "d1") == 10
    async with place.node() as node:
        assert counted(node, "restored_records_total") == 0


def _copy(store: KeptStore) -> KeptStore:
    copy = KeptStore()
    assert store.identity is not None
    copy.begin(store.identity)
    rows = [Row(*row) for row in store.scan(b"\x00", b"\xff")]
    copy.write(rows, store.positions(), now_ms=store.written_ms or 0)
    return copy


@pytest.mark.parametrize("wiped", [True, False])
async def test_a_log_that_begins_later_is_read_from_its_beginning(wiped: bool) -> None:
    place = site()
    await _written(place)
    jobs = place.source(place.topics.jobs)
    place.cluster.truncate(jobs, before=Offset(place.cluster.partition(jobs).end))
    if wiped:
        place.stores.clear()
    async with place.node() as node:
        assert await total(node, "d1") == 6
        await done(node, place.job("d1", [(ADD, {"amount": 4})]))
        assert await total(node, "d1") == 10


async def test_each_life_has_a_later_epoch() -> None:
    place = site()
    epochs: list[int] = []
    for _ in range(3):
        async with place.node() as node:
            (reducer, *views) = node.positions()
            assert [view["epoch"] for view in views] == [reducer["epoch"]] * 2
            epochs.append(reducer["epoch"])
    assert epochs == [1, 2, 3]
    assert reducer_key(0) == "reducer/0"


async def test_a_table_that_another_process_has_open_is_waited_for() -> None:
    place = site()
    refusals = 2

    def open_store(name: str) -> Store:
        nonlocal refusals
        if refusals and name == "0/write":
            refusals -= 1
            raise StoreLockedError(name)
        return place.open_store(name)

    async with place.node(open_store=open_store) as node:
        assert counted(node, "errors_total", name="StoreLocked") == 2
        assert (await done(node, place.creation("d1"))).error is None


async def test_progress_is_told_while_it_restores() -> None:
    place = site()
    await _written(place)
    place.stores.clear()
    async with place.node() as node:
        rows: list[dict[str, Any]] = node.positions()
        assert {row["name"]: row["progress"] for row in rows if row["name"] != "relationships"} == {
            "documents": 1.0,
            "reducer": 1.0,
        }
        assert counted(node, "restore_progress_ratio", partition="0") == 1.0


async def _write_without_markers(place: Site, node: Node, amount: int) -> None:
    """A job whose transaction is committed, and marked nowhere but at the group's offset."""
    topics = place.topics
    names = (topics.operations, topics.keyframes, topics.jobs)
    place.cluster.leaderless = {place.source(name) for name in names}
    job = place.job("d1", [(ADD, {"amount": amount})])
    offset = await node.submit(job)
    await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
    assert place.committed() == offset + 1
    place.cluster.leaderless.clear()


@pytest.mark.parametrize("is_kept", [True, False])
async def test_what_lost_its_markers_stands_for_the_next_owner(is_kept: bool) -> None:
    place = site(keyframe_policy="fixed", keyframe_interval=1)
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await _write_without_markers(place, node, 4)
    if not is_kept:
        place.stores.clear()
    async with place.node() as node:
        assert await total(node, "d1") == 4
        await done(node, place.job("d1", [(ADD, {"amount": 5})]))
        assert [one.index for one in operations(node, "d1")] == [0, 1]
        assert await total(node, "d1") == 9


async def test_a_process_that_lives_on_mends_what_lost_its_markers() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await _write_without_markers(place, node, 4)
        await done(node, place.job("d1", [(ADD, {"amount": 5})]))
        assert counted(node, "errors_total", name="Log") == 1
        assert [one.index for one in operations(node, "d1")] == [0, 1]
        assert await total(node, "d1") == 9


async def test_what_lost_its_markers_is_shown_although_nobody_writes_any_more() -> None:
    place = site(session_timeout_ms=1_000)
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await _write_without_markers(place, node, 4)
        await until(lambda: counted(node, "errors_total", name="Log") == 1)
        await until(lambda: node.local(0))
        assert await total(node, "d1") == 4


async def test_software_of_before_serves_what_is_kept_of_its_version() -> None:
    place = site()
    await _written(place)
    async with place.node() as node:
        newer = node.coordinator.model("documents").rebuilt(DOCUMENTS_SCHEMA + 1)
        row = {**newer.json, "epoch": newer.epoch + 1}
        told = {"generation": 1, "name": "documents", "next_offset": None, "partition": 0}
        told |= {"epoch": 99, "serving": True}
        await place.write(
            place.topics.positions,
            Entry(b"model/documents", orjson.dumps(row)),
            Entry(b"view/documents/1/0", orjson.dumps(told)),
        )
        await until(lambda: node.coordinator.served("documents", 0) == 1)
    async with place.node() as node:
        assert live(node).serving("documents", None).generation == 0
        assert await total(node, "d1") == 6
        assert (await done(node, place.job("d1", [(ADD, {"amount": 4})]))).error is None
