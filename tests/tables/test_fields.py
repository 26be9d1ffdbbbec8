"""Single fields are what the whole decoded operation says."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.canonical import digest, encode
from docreactor.tables import fields

JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TRICKY = st.sampled_from(
    [
        '","hash":"x","id":"0","index":1,"previous":null,"skip":9,"timestamp":"t","version":1}',
        '","version":3}',
        '"skip":7,"timestamp":"2000-01-01T00:00:00.000000Z"}',
        "\\",
        '"',
        '\\","hash":"',
    ]
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | JSON_TEXT | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(JSON_TEXT, inner, max_size=3),
    max_leaves=6,
)
OPERATIONS = st.fixed_dictionaries(
    {
        "action": st.fixed_dictionaries(
            {
                "context": st.none() | st.dictionaries(JSON_TEXT, JSON_VALUES, max_size=2),
                "id": st.from_regex(r"[A-Za-z0-9._~+=@-]{1,40}", fullmatch=True),
                "input": JSON_VALUES | st.fixed_dictionaries({"skip": st.integers(0, 9)}),
                "scope": st.just("global"),
                "timestamp": st.just("2026-11-21T00:00:00.000000Z"),
                "type": st.just("ADD"),
            }
        ),
        "document_type": JSON_TEXT | TRICKY,
        "error": st.none() | JSON_TEXT | TRICKY,
        "hash": st.binary().map(digest),
        "id": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
        "index": st.integers(0, 10**9),
        "previous": st.none() | st.binary().map(digest),
        "skip": st.integers(0, 10**9),
        "timestamp": st.datetimes().map(lambda t: f"{t:%Y-%m-%dT%H:%M:%S}.{t.microsecond:06d}Z"),
        "version": st.integers(0, 10**9),
    }
)


def _read(content: bytes) -> tuple[bytes, bytes, int, str]:
    return (
        fields.action_id(content),
        fields.timestamp(content),
        fields.skip(content),
        fields.state_hash(content),
    )


def _said(operation: dict[str, Any]) -> tuple[bytes, bytes, int, str]:
    return (
        operation["action"]["id"].encode(),
        operation["timestamp"].encode(),
        operation["skip"],
        operation["hash"],
    )


@given(operation=OPERATIONS)
def test_each_field_is_the_one_of_the_operation_itself(operation: dict[str, Any]) -> None:
    assert _read(encode(operation)) == _said(operation)


@given(operation=OPERATIONS)
def test_bytes_that_are_not_canonical_are_read_all_the_same(operation: dict[str, Any]) -> None:
    spaced = orjson.dumps(operation, option=orjson.OPT_INDENT_2)

    assert _read(spaced) == _said(operation)


def test_what_is_no_operation_is_refused() -> None:
    for read in (fields.action_id, fields.timestamp, fields.skip, fields.state_hash):
        with pytest.raises((KeyError, ValueError)):
            read(b"{}")
