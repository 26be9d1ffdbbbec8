"""A document's header as its rows tell it."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.document import Document
from docreactor.pipeline.header import NAME, SLUG, Fact, Facts, meta_field
from docreactor.tables.header import (
    Header,
    read_facts_of,
    read_revision,
    revision_row,
    tells,
)
from docreactor.tables.slugs import Claim

T0 = "2026-11-21T00:00:00.000000Z"
T1 = "2026-11-21T00:00:01.000000Z"


def _header(facts: Facts | None = None, **changes: Any) -> Header:
    fields: dict[str, Any] = {
        "id": "d1",
        "document_type": "t/x",
        "slug": "given",
        "name": "given name",
        "branch": "main",
        "created_at": T0,
        "protocol_versions": {"base-reducer": 2},
        "meta": {"k": 1},
    }
    return Header(Document(**fields | changes), {"document": 2, "global": 5}, T1, facts or {})


def test_without_a_word_since_it_is_what_the_creation_gave() -> None:
    assert _header().json == {
        "id": "d1",
        "document_type": "t/x",
        "slug": "given",
        "name": "given name",
        "branch": "main",
        "created_at": T0,
        "last_modified_at": T1,
        "revision": {"document": 2, "global": 5},
        "protocol_versions": {"base-reducer": 2},
        "meta": {"k": 1},
        "is_deleted": False,
        "deleted_at": None,
        "slug_claimed_at": T0,
    }


def test_what_was_said_since_stands() -> None:
    facts = {
        NAME: Fact(T1, "a", None),
        SLUG: Fact(T1, "b", "later"),
        meta_field("k"): Fact(T1, "c", None),
        meta_field("m"): Fact(T1, "d", 2),
    }
    shown = _header(facts).json
    assert (shown["name"], shown["slug"], shown["meta"]) == (None, "later", {"m": 2})


def test_a_slug_is_claimed_since_it_was_said() -> None:
    assert _header().claim == Claim("given", "main", T0, "d1")
    said = {SLUG: Fact(T1, "b", "later")}
    assert _header(said).claim == Claim("later", "main", T1, "d1")


def test_an_empty_slug_is_the_id_and_claims_nothing() -> None:
    header = _header({SLUG: Fact(T1, "b", "")})
    assert (header.slug, header.claim) == ("d1", None)


def test_a_deleted_document_claims_nothing() -> None:
    said = {SLUG: Fact(T1, "b", "later")}
    assert _header(said, is_deleted=True, deleted_at=T1).claim is None


@pytest.mark.parametrize("facts", [{}, {NAME: Fact(T0, "a", "ü")}])
def test_a_row_comes_back_as_it_was_written(facts: Facts) -> None:
    row = revision_row(7, T1, facts)
    assert read_revision(row) == (7, T1)
    assert read_facts_of(row) == facts
    assert tells(row) == bool(facts)


def test_a_stream_without_a_row_tells_nothing() -> None:
    assert not tells(None)
