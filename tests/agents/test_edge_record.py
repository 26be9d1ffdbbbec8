"""Records of the topic of relationships are read as they were written."""

from __future__ import annotations

import pytest

from docreactor.agents.edge_record import (
    change_entry,
    erased_entry,
    position_entry,
    quarantine_entry,
    quarantined_document,
    read_change,
    read_position,
)
from docreactor.pipeline.edge import POSITION_KEY, Change, Edge, EdgeKey
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import check_format
from tests.support.relating import Read

KEY = EdgeKey("a", "main", "child", "b")
EDGE = Edge(
    source_id="a",
    branch="main",
    type="child",
    target_id="b",
    metadata={"n": 1},
    weight=0.5,
    created_at="2026-01-02T03:04:05.000006Z",
    updated_at="2026-01-02T03:04:05.000007Z",
)
CHANGES = [Change(KEY, EDGE, "added"), Change(KEY, EDGE, "updated"), Change(KEY, None, "removed")]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_read_as_it_was_written(change: Change) -> None:
    entry = change_entry(change)
    assert entry.key == b"a/main/child/b"
    assert dict(entry.headers)["change"] == change.kind.encode()
    check_format(entry.headers, "here")
    assert read_change(Read(0, entry.key, entry.value, entry.headers)) == change


@pytest.mark.parametrize("key", [POSITION_KEY, b"a/", b"a/quarantined", b""])
def test_a_record_of_something_else_is_no_change(key: bytes) -> None:
    with pytest.raises(UndecodableRecordError):
        read_change(Read(0, key, b"{}"))


def test_an_edge_without_a_word_on_what_became_of_it_counts_as_updated() -> None:
    assert read_change(Read(0, EDGE.key, EDGE.encode())).kind == "updated"


def test_a_position_is_read_as_it_was_written() -> None:
    entry = position_entry(Offset(12))
    assert (entry.key, entry.value) == (POSITION_KEY, b'{"operations":12}')
    assert read_position(entry.value) == 12


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", b'{"operations":"x"}', b"\xff"])
def test_what_is_no_position_is_refused_by_name(value: bytes | None) -> None:
    with pytest.raises(UndecodableRecordError):
        read_position(value)


def test_a_quarantine_names_its_document_and_a_tombstone_ends_it() -> None:
    entry = quarantine_entry("a", {"title": "CorruptHistory"})
    assert entry.key is not None
    assert quarantined_document(entry.key) == "a"
    assert entry.value == b'{"title":"CorruptHistory"}'
    assert quarantine_entry("a", None) == (entry.key, None, entry.headers)


@pytest.mark.parametrize("key", [b"a/main/child/quarantined", b"quarantined", b"a/", POSITION_KEY])
def test_no_other_key_names_a_quarantined_document(key: bytes) -> None:
    assert quarantined_document(key) is None


def test_an_erasure_has_the_key_that_it_has_among_operations() -> None:
    entry = erased_entry("a")
    assert entry.value is None
    assert erased_document(entry.key or b"") == "a"
