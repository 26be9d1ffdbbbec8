"""Deferred jobs are found by their stream and by their id, until a tombstone ends them."""

from __future__ import annotations

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.deferred import Deferred, deferred_key
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream
from docreactor.tables.deferred import DeferredTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import OperationsTable
from docreactor.tables.store import Row, Store

HOME = Stream("d1", "global", "main")


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def table(store: Store) -> DeferredTable:
    return DeferredTable(store)


def _deferred(offset: int, stream: Stream = HOME, job_id: str = "") -> Deferred:
    document_id, scope, branch = stream
    action = Action(id=f"a{offset}", type="ADD", scope=scope, input={"amount": 1})
    job = Mutation(
        id=job_id or f"j{offset}-0",
        document_id=document_id,
        branch=branch,
        scope=scope,
        actions=(action,),
        depends_on=("j0-1",),
    )
    return Deferred(
        job=job, offset=offset, deferred_at="2024-01-01T00:00:00.000000Z", waits_for=("j0-1",)
    )


def _write(store: Store, table: DeferredTable, *deferred: Deferred) -> None:
    records = [(one.key, encode(one.json)) for one in deferred]
    store.write(table.rows(records), {}, now_ms=1)


def _end(store: Store, table: DeferredTable, *deferred: Deferred) -> None:
    store.write(table.rows([(one.key, None) for one in deferred]), {}, now_ms=1)


def test_a_job_is_found_by_its_id(store: Store, table: DeferredTable) -> None:
    deferred = _deferred(4)
    _write(store, table, deferred)

    assert table.get("j4-0") == deferred
    assert table.get("j5-0") is None


def test_a_streams_jobs_come_in_the_order_of_their_offsets(
    store: Store, table: DeferredTable
) -> None:
    offsets = [12_345_678_901, 7, 100, 99]
    others = [_deferred(1, Stream("d1", "global2", "main")), _deferred(2, Stream("d", "x", "main"))]
    _write(store, table, *map(_deferred, offsets), *others)

    assert [one.offset for one in table.of(HOME)] == sorted(offsets)
    assert [one.offset for one in table.of(others[0].stream)] == [1]


def test_a_documents_jobs_are_those_of_all_its_streams(store: Store, table: DeferredTable) -> None:
    draft = _deferred(8, Stream("d1", "local", "draft"))
    _write(store, table, _deferred(3), draft, _deferred(4, Stream("d10", "global", "main")))

    assert sorted(one.offset for one in table.of_document("d1")) == [3, 8]
    assert sorted(one.offset for one in table.every()) == [3, 4, 8]


def test_a_tombstone_removes_a_job_and_leaves_its_neighbours(
    store: Store, table: DeferredTable
) -> None:
    _write(store, table, _deferred(3), _deferred(4))
    _end(store, table, _deferred(3))

    assert table.get("j3-0") is None
    assert [one.offset for one in table.of(HOME)] == [4]
    assert len(list(store.keys(b"\0", b"\xff"))) == 2


def test_a_record_and_its_tombstone_in_one_batch_leave_nothing(
    store: Store, table: DeferredTable
) -> None:
    deferred = _deferred(3)
    records = [(deferred.key, encode(deferred.json)), (deferred.key, None)]
    store.write(table.rows(records), {}, now_ms=1)

    assert list(store.keys(b"\0", b"\xff")) == []


def test_a_tombstone_of_nothing_removes_nothing_else(store: Store, table: DeferredTable) -> None:
    _write(store, table, _deferred(3))
    _end(store, table, _deferred(9))

    assert [one.offset for one in table.every()] == [3]


def test_what_is_no_record_of_the_topic_has_no_rows(store: Store, table: DeferredTable) -> None:
    store.write([Row(b"j/x", b"a job")], {}, now_ms=1)
    key = deferred_key(HOME, 1)

    assert table.rows([(b"", b"x"), (b"a/b", None), (key[:-1] + b"x", b"{}")]) == []
    store.write(table.rows([(key, b"not json")]), {}, now_ms=1)
    assert list(table.every()) == []


def test_what_erases_a_document_leaves_its_deferred_jobs_to_their_tombstones(
    store: Store, table: DeferredTable
) -> None:
    _write(store, table, _deferred(3))

    erased = Erased(HOME.document_id, "2024-01-01T00:00:00.000000Z")
    rows = OperationsTable(store).lasting.rows(erased_key(HOME.document_id), erased.encode())
    store.write(rows, {}, now_ms=1)
    _end(store, table, _deferred(3))

    assert [key for key, _ in store.scan(b"", b"\xff")] == [b"c/d1", b"e/d1"]
