"""Where a record lives."""

from __future__ import annotations

from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.keys import (
    Stream,
    job_minted_ms,
    job_partition,
    parse_record_key,
    partition_for,
    record_key,
    stream_prefix,
)

NAMES = st.from_regex(r"[A-Za-z0-9._~+=@-]{1,20}", fullmatch=True)
STREAMS = st.builds(Stream, NAMES, NAMES, NAMES)
INDEXES = st.integers(0, 10**10 - 1)


@given(st.text(min_size=1), st.integers(1, 1024))
def test_a_document_lies_where_kafkas_own_partitioner_puts_its_id(id: str, count: int) -> None:
    id = id.encode(errors="replace").decode()

    assert partition_for(id, count) == (murmur2(id.encode()) & 0x7FFFFFFF) % count


@given(STREAMS, INDEXES)
def test_a_key_names_stream_and_index(stream: Stream, index: int) -> None:
    assert parse_record_key(record_key(stream, index)) == (stream, index)
    assert stream_prefix(record_key(stream, index)) == stream.prefix.encode()


@given(STREAMS, INDEXES, INDEXES)
def test_the_order_of_keys_is_the_order_of_indexes(stream: Stream, one: int, other: int) -> None:
    assert (record_key(stream, one) < record_key(stream, other)) == (one < other)


@given(STREAMS, STREAMS)
def test_no_streams_keys_begin_with_anothers_prefix(one: Stream, other: Stream) -> None:
    assert (one == other) or not record_key(one, 0).startswith(other.prefix.encode())


@pytest.mark.parametrize("key", [b"", b"a/b/c", b"a/b/c/d", b"a/b/c/1/2", b"\xff/b/c/1"])
def test_anything_else_is_no_key(key: bytes) -> None:
    with pytest.raises(ValueError):
        parse_record_key(key)


@given(STREAMS)
def test_the_home_of_every_scope_is_the_documents_own_stream(stream: Stream) -> None:
    assert stream.home == Stream(stream.document_id, "document", stream.branch)
    assert stream.home.home == stream.home


@pytest.mark.parametrize("key", [b"", b"0123456789", b"a/b/c"])
def test_what_is_too_short_for_a_key_has_no_prefix(key: bytes) -> None:
    assert stream_prefix(key) == b""


def test_a_job_id_ends_in_its_partition() -> None:
    assert job_partition("0190a6e0-0000-7000-8000-000000000000-12") == 12
    for id in ("", "job", "0190a6e0-"):
        with pytest.raises(ValueError, match="invalid literal"):
            job_partition(id)


def test_a_job_id_tells_when_it_was_minted() -> None:
    minted = IdMinter(lambda: 1_800_000_000_123, lambda bits: 1).mint()

    assert job_minted_ms(f"{minted}-12") == 1_800_000_000_123
    for id in ("j1-0", "", f"{UUID(int=5, version=4)}-1"):
        assert job_minted_ms(id) is None
