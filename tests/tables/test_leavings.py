"""Every row of one document is found, and none of another."""

from __future__ import annotations

from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.tables.header import Header
from docreactor.tables.leavings import key_ranges, left_rows, ranges
from docreactor.tables.store import Row
from tests.tables.test_documents import Place


def test_rows_of_documents_with_similar_ids_are_kept_apart() -> None:
    place = Place()
    place.create("d", "d-1", "d.1", "d0", "dd", slug="one")

    rows = list(left_rows(place.table.store, "d", place.table.header))

    assert all(value is None for _, value in rows)
    quarantine, streams, lists, slug = 1, 2, 3, 1
    assert len(rows) == quarantine + streams + lists + slug
    for start, end in ranges("d"):
        assert start.endswith(b"/d/") and start < end
    stored = {key for key, _ in place.table.store.scan(b"", b"\xff")}
    assert {key for key, _ in rows} <= stored | {b"q/d"}


def test_a_row_that_cannot_be_read_is_removed_all_the_same() -> None:
    place = Place()
    place.create("d")

    def unreadable(document_id: str, branch: str) -> Header | None:
        raise UndecodableRecordError("broken")

    rows = list(left_rows(place.table.store, "d", unreadable))

    assert Row(b"s/d/document/main/", None) in rows


def test_a_document_that_is_not_there_leaves_its_quarantine_alone_to_remove() -> None:
    place = Place()

    assert list(left_rows(place.table.store, "d", place.table.header)) == [Row(b"q/d", None)]


def test_every_row_lies_in_a_range() -> None:
    place = Place()
    place.create("d", slug="one")
    rows = list(left_rows(place.table.store, "d", place.table.header))

    found = key_ranges("d", rows)

    assert all(any(start <= key < end for start, end in found) for key, _ in rows)
    assert len(found) == 2 + 5
