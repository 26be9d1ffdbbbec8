"""Every operation is found again, and the log gives back every row."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docreactor.pipeline.canonical import decode, digest
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.keys import Stream, record_key
from docreactor.tables.keyframes import keyframe_rows
from docreactor.tables.memory import MemoryStore
from docreactor.tables.operations import Head, OperationsTable, action_key
from docreactor.tables.store import Row, Store
from tests.tables.written import Written, home

Record = tuple[bytes, bytes | None]

STREAM = Stream("d", "global", "main")


@pytest.fixture
def written() -> Written:
    written = Written()
    written.create("d")
    written.add(STREAM, 25)
    return written


def _rows(store: Store) -> list[tuple[bytes, bytes]]:
    return list(store.scan(b"", b"\xff"))


def test_an_operation_is_found_by_its_stream_and_index(written: Written) -> None:
    table = written.operations

    assert decode(table.get(STREAM, 7) or b"")["index"] == 7
    assert table.get(STREAM, 25) is None
    assert table.get(Stream("d", "global", "draft"), 0) is None


def test_several_operations_come_in_the_order_asked(written: Written) -> None:
    found = written.operations.get_many(STREAM, [3, 99, 1])

    assert [content and decode(content)["index"] for content in found] == [3, None, 1]


def test_a_page_begins_at_its_index_and_ends_with_its_stream(written: Written) -> None:
    table = written.operations

    assert [index for index, _ in table.page(STREAM, 5, 3)] == [5, 6, 7]
    assert [index for index, _ in table.page(STREAM, 23, 100)] == [23, 24]
    assert table.page(STREAM, 25, 100) == []
    assert table.page(STREAM, 0, 1) == [(0, table.get(STREAM, 0))]


def test_a_page_back_goes_down_from_its_index(written: Written) -> None:
    table = written.operations

    assert [index for index, _ in table.page_back(STREAM, 5, 3)] == [5, 4, 3]
    assert [index for index, _ in table.page_back(STREAM, 1, 100)] == [1, 0]
    assert table.page_back(STREAM, -1, 100) == []


def test_streams_whose_names_begin_alike_are_kept_apart() -> None:
    written = Written()
    for document_id in ("d", "d-", "d0"):
        for branch in ("main", "main2"):
            written.create(document_id, branch)
            written.add(Stream(document_id, "global", branch), 2)

    table = written.operations
    assert len(table.page(STREAM, 0, 100)) == 2
    assert len(table.page_back(STREAM, 100, 100)) == 2
    assert set(table.scopes("d", "main")) == {"document", "global"}


def test_a_head_counts_what_was_stored(written: Written) -> None:
    head = written.operations.head(STREAM)

    assert head is not None
    assert head.next_index == 25
    assert head.latest_us == written.moment
    assert head.previous == digest(written.records[-1][1])
    assert written.operations.head(Stream("x", "global", "main")) is None


@given(
    head=st.builds(
        Head,
        next_index=st.integers(0, 2**62),
        latest_us=st.integers(-1, 2**62),
        previous=st.none() | st.binary().map(digest),
        keyframe_label=st.integers(-1, 2**62),
        bytes_since_keyframe=st.integers(0, 2**62),
    )
)
def test_a_head_comes_back_as_it_was_written(head: Head) -> None:
    store = MemoryStore()
    table = OperationsTable(store)
    store.write([table.head_row(STREAM, head)], {}, now_ms=1)

    assert table.head(STREAM) == head


def test_heads_come_in_the_order_asked(written: Written) -> None:
    table = written.operations
    unknown = Stream("x", "global", "main")

    assert table.heads([unknown, STREAM, home("d")]) == [
        None,
        table.head(STREAM),
        table.head(home("d")),
    ]


def test_the_scopes_of_a_branch_are_those_with_operations(written: Written) -> None:
    written.create("d", "draft")
    table = written.operations

    assert table.scopes("d", "main") == {
        "document": table.head(home("d")),
        "global": table.head(STREAM),
    }
    assert list(table.scopes("d", "draft")) == ["document"]
    assert table.scopes("x", "main") == {}


def test_an_action_is_known_by_its_id_in_every_scope_of_its_branch(written: Written) -> None:
    written.append(STREAM, {"text": "x"}, id="mine")
    table = written.operations

    assert table.index_of(STREAM, "mine") == 25
    assert table.index_of(home("d"), "mine") == 25
    assert table.index_of(Stream("d", "global", "draft"), "mine") is None
    keys = [action_key(STREAM, action_id) for action_id in ("x", "mine")]
    assert table.indexes_at(keys) == [None, 25]
    assert table.indexes_at([]) == []


def test_an_action_stored_again_is_known_by_its_newest_index(written: Written) -> None:
    written.append(STREAM, {"text": "x"}, id="mine")
    written.append(STREAM, {"text": "x"}, id="mine", skip=1)

    assert written.operations.index_of(STREAM, "mine") == 26


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), max_size=4), context=st.booleans())
def test_the_records_of_the_topic_give_back_every_row(cuts: list[int], context: bool) -> None:
    written = Written()
    written.create("d")
    written.create("d", "draft")
    for number in range(20):
        extra: dict[str, Any] = {"context": {"signer": number}} if context else {}
        written.append(STREAM, {"text": "x"}, **extra)
        written.append(Stream("d", "local", "draft"), {"text": "y"})

    restored = MemoryStore()
    table = OperationsTable(restored)
    places = sorted({0, *cuts, len(written.records)})
    for start, end in pairwise(places):
        restored.write(table.restore_rows(written.records[start:end]), {}, now_ms=1)

    assert _rows(restored) == _rows(written.store)


def test_restoring_what_is_there_changes_nothing(written: Written) -> None:
    before = _rows(written.store)
    written.write(written.operations.restore_rows(written.records[3:9]))

    assert _rows(written.store) == before


def test_restoring_keeps_what_is_known_of_keyframes(written: Written) -> None:
    table = written.operations
    head = table.head(STREAM)
    assert head is not None
    written.write(
        [table.head_row(STREAM, Head(10, 5, "p", keyframe_label=8, bytes_since_keyframe=7))]
    )
    written.write(table.restore_rows(written.records[12:]))

    moved = table.head(STREAM)
    assert moved is not None
    assert moved.next_index == 25
    assert moved.keyframe_label == 8
    assert moved.bytes_since_keyframe == 7 + sum(len(value) for _, value in written.records[12:])


def test_the_newest_time_stays_the_newest_when_an_older_one_comes_last(written: Written) -> None:
    newest = written.moment
    written.append(STREAM, {"text": "x"}, timestamp="2001-01-01T00:00:00.000000Z")
    restored = MemoryStore()
    table = OperationsTable(restored)
    restored.write(table.restore_rows(written.records), {}, now_ms=1)

    head = table.head(STREAM)
    assert head is not None
    assert head.latest_us == newest


@pytest.mark.parametrize("at_once", [True, False])
def test_tombstones_remove_every_trace_of_a_stream(written: Written, at_once: bool) -> None:
    kept = Written()
    kept.create("d")
    stored: list[Record] = list(written.records)
    erased: list[Record] = [(record_key(STREAM, index), None) for index in range(25)]
    restored = MemoryStore()
    table = OperationsTable(restored)
    batches = [stored + erased] if at_once else [stored, erased]
    for batch in batches:
        restored.write(table.restore_rows(batch), {}, now_ms=1)

    assert _rows(restored) == _rows(kept.store)


def test_a_documents_streams_are_found_on_all_its_branches() -> None:
    written = Written()
    for document_id, branch in (("d", "main"), ("d", "draft"), ("d-1", "main"), ("dd", "main")):
        written.create(document_id, branch)
    written.add(Stream("d", "global", "main"), 3)

    found = written.operations.streams_of("d")

    assert [(stream.scope, stream.branch, head.next_index) for stream, head in found] == [
        ("document", "draft", 2),
        ("document", "main", 2),
        ("global", "main", 3),
    ]
    assert written.operations.streams_of("nobody") == []


def test_documents_are_listed_page_by_page() -> None:
    written = Written()
    names = ["d", "d-1", "d.2", "d0", "dd", "e"]
    for document_id in names:
        written.create(document_id)
        written.add(Stream(document_id, "global", "main"), 1)

    listed: list[str] = []
    while page := written.operations.documents_after(listed[-1] if listed else "", 2):
        assert len(page) <= 2
        listed += page

    assert sorted(listed) == sorted(names)
    assert len(listed) == len(names)


ERASED = Erased("d", "2026-01-02T03:04:05.000006Z")


def _documents(*document_ids: str) -> Written:
    written = Written()
    for document_id in document_ids:
        written.create(document_id)
        written.add(Stream(document_id, "global", "main"), 3)
        key = record_key(Stream(document_id, "global", "main"), 2)
        written.write(keyframe_rows([Row(key, b"kept")]))
    return written


def _keys(written: Written, document_id: str) -> list[bytes]:
    sign = f"/{document_id}/".encode()
    return [key for key, _ in written.store.scan(b"", b"~") if sign in key]


def test_erasing_leaves_no_row_of_a_document_but_the_fact() -> None:
    written = _documents("d", "d-1", "dd")

    written.write(written.operations.lasting.rows(erased_key("d"), ERASED.encode()))

    assert _keys(written, "d") == []
    assert written.operations.erased("d") == ERASED
    for other in ("d-1", "dd"):
        assert len(_keys(written, other)) == 5 + 5 + 2 + 1
        assert written.operations.erased(other) is None


@pytest.mark.parametrize("with_tombstones", [True, False])
def test_restoring_an_erasure_leaves_no_row_either(with_tombstones: bool) -> None:
    written = _documents("d", "e")
    records: list[tuple[bytes, bytes | None]] = [(erased_key("d"), ERASED.encode())]
    if with_tombstones:
        mine = [(key, None) for key, _ in written.records if key.startswith(b"d/")]
        records = [*mine, *records]

    written.write(written.operations.restore_rows(records))

    assert _keys(written, "d") == []
    assert written.operations.erased("d") == ERASED
    assert len(_keys(written, "e")) == 13


def test_restoring_from_the_beginning_leaves_no_row_either() -> None:
    written, empty = _documents("d", "e"), Written()
    mine = [(key, None) for key, _ in written.records if key.startswith(b"d/")]
    records = [*written.records, *mine, (erased_key("d"), ERASED.encode())]

    empty.write(empty.operations.restore_rows(records))

    assert _keys(empty, "d") == []
    assert empty.operations.streams_of("e") == written.operations.streams_of("e")


@pytest.mark.parametrize("record", [(b"d/", None), (b"a/b/", b"{}"), (b"/", None)])
def test_what_only_looks_like_an_erasure_is_no_record(record: tuple[bytes, bytes | None]) -> None:
    with pytest.raises(ValueError, match="no key of operations"):
        Written().operations.restore_rows([record])
