"""Which names are allowed, and how new ones are minted."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import IdMinter, check_id, check_name, operation_id

GOOD = ["a", "A-Z_0.9~+=@", "...", "x" * 64]
BAD = ["", "a/b", "a b", "é", "a\n", "a:b", "a%b"]


@pytest.mark.parametrize("name", [*GOOD, "x" * 200])
def test_an_id_that_fits_a_key_is_returned_as_it_is(name: str) -> None:
    assert check_id(name, field="id") == name


@pytest.mark.parametrize("name", [*BAD, "x" * 201, ".", ".."])
def test_an_id_that_no_key_could_carry_is_refused_by_field(name: str) -> None:
    with pytest.raises(InvalidInputError, match="^id: must match"):
        check_id(name, field="id")


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_fits_a_key_is_returned_as_it_is(name: str) -> None:
    assert check_name(name, field="scope") == name


@pytest.mark.parametrize("name", [*BAD, "x" * 65])
def test_a_name_that_no_key_could_carry_is_refused_by_field(name: str) -> None:
    with pytest.raises(InvalidInputError, match="^scope: must match"):
        check_name(name, field="scope")


def test_an_operation_id_is_the_same_everywhere() -> None:
    expected = hashlib.sha256(b"d1:global:main:a1").hexdigest()[:32]

    assert operation_id("d1", "global", "main", "a1") == expected
    assert operation_id("d1", "local", "main", "a1") != expected


def _minter(times: list[int], seed: int = 0) -> IdMinter:
    clock = iter(times)
    return IdMinter(lambda: next(clock), Random(seed).getrandbits)


@given(st.lists(st.integers(0, 2**47), min_size=1, max_size=50), st.integers())
def test_minted_ids_only_grow_whatever_the_clock_does(times: list[int], seed: int) -> None:
    minter = _minter(times, seed)

    ids = [minter.mint() for _ in times]

    assert all(one < next_one for one, next_one in pairwise(ids))
    assert all(check_id(one, field="id") for one in ids)


def test_a_minted_id_is_a_uuid_of_version_7_that_carries_its_time() -> None:
    id = UUID(_minter([1_700_000_000_000]).mint())

    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert id.int >> 80 == 1_700_000_000_000


def test_two_minters_do_not_meet() -> None:
    assert _minter([1_700_000_000_000], 1).mint() != _minter([1_700_000_000_000], 2).mint()


def test_a_full_counter_borrows_from_the_next_millisecond() -> None:
    minter = IdMinter(lambda: 5, lambda bits: (1 << bits) - 1)
    assert UUID(minter.mint()).int >> 80 == 5
    # Set here because counting there would take 2 ** 41 ids.
    vars(minter)["_counter"] = (1 << 42) - 1

    assert UUID(minter.mint()).int >> 80 == 6
