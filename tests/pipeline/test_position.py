"""How far a log has been read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidTokenError, TokenOfAnotherLogError
from docreactor.pipeline.position import Offset, Partition, Position, partition_token

LOG_ID, OTHER = "0" * 32, "f" * 32


def _position(next_offsets: Mapping[int, int], log_id: str = LOG_ID) -> Position:
    named = {Partition(part): Offset(offset) for part, offset in next_offsets.items()}
    return Position(log_id, named)


POSITIONS = st.dictionaries(st.integers(0, 1023), st.integers(0, 2**63 - 1), max_size=8).map(
    _position
)


@given(POSITIONS)
def test_a_token_is_read_back_as_its_position_and_needs_no_quoting(position: Position) -> None:
    assert Position.parse(position.token, log_id=LOG_ID) == position
    assert quote(position.token, safe="") == position.token


@given(POSITIONS, POSITIONS, POSITIONS)
def test_merging_is_associative_commutative_and_idempotent(
    a: Position, b: Position, c: Position
) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b) == b.merge(a)
    assert a.merge(a) == a


@given(POSITIONS, POSITIONS)
def test_a_merge_is_the_least_position_that_satisfies_both(a: Position, b: Position) -> None:
    merged = a.merge(b)

    assert merged.reached(a)
    assert merged.reached(b)
    for part, offset in merged.next_offsets.items():
        if offset:
            lower = {**merged.next_offsets, part: Offset(offset - 1)}
            short = Position(LOG_ID, lower)
            assert not (short.reached(a) and short.reached(b))


def test_a_partition_that_is_not_named_has_no_demand() -> None:
    assert _position({}).reached(_position({3: 0}))
    assert _position({3: 7}).reached(_position({}))
    assert not _position({3: 7}).reached(_position({3: 8}))
    assert not _position({3: 7}).reached(_position({4: 1}))
    assert _position({3: 7, 4: 9}).reached(_position({3: 7}))


def test_the_token_of_one_partition_is_the_positions_own() -> None:
    assert partition_token(LOG_ID, 3, 12) == _position({3: 12}).token


@pytest.mark.parametrize(
    "token",
    ["", LOG_ID, f"{LOG_ID}.3", f"{LOG_ID}.3-", f"{LOG_ID}.3-1_", f"{LOG_ID}.3--1", f"x{LOG_ID}."],
)
def test_other_text_is_no_token(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        Position.parse(token, log_id=LOG_ID)


def test_positions_of_two_logs_have_nothing_to_say_to_each_other() -> None:
    with pytest.raises(TokenOfAnotherLogError):
        _position({}).merge(_position({}, OTHER))
    with pytest.raises(TokenOfAnotherLogError) as refused:
        Position.parse(_position({}, OTHER).token, log_id=LOG_ID)
    assert refused.value.facts == {"expected": LOG_ID, "actual": OTHER}
