"""Of several claims of one slug the newest is answered, and all can be listed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.tables.memory import MemoryStore
from docreactor.tables.slugs import Claim, Slugs, claim_row, release_row, slug_order
from docreactor.tables.store import Store

EARLY, LATE = "2026-11-21T00:00:00.000000Z", "2026-11-21T00:00:00.000001Z"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=1_000)


@pytest.fixture
def store() -> Store:
    return MemoryStore()


def _claim(
    store: Store, slug: str, claimed_at: str, document_id: str, branch: str = "main"
) -> Claim:
    claim = Claim(slug, branch, claimed_at, document_id)
    store.write([claim_row(claim)], {}, now_ms=1)
    return claim


def test_the_newest_claim_is_answered_and_the_others_are_listed(store: Store) -> None:
    older = _claim(store, "home", EARLY, "z")
    newer = _claim(store, "home", LATE, "a")
    slugs = Slugs(store)

    assert slugs.find("home", "main") == "a"
    assert slugs.newest("home", "main") == newer
    assert slugs.newest("at", "main") is None
    assert slugs.claims("home", "main") == [newer, older]


def test_of_two_claims_of_one_instant_the_greater_document_id_is_answered(store: Store) -> None:
    _claim(store, "home", EARLY, "a")
    _claim(store, "home", EARLY, "b")

    assert Slugs(store).find("home", "main") == "b"


def test_a_claim_that_is_released_leaves_the_slug_to_the_others(store: Store) -> None:
    _claim(store, "home", EARLY, "a")
    newer = _claim(store, "home", LATE, "b")
    store.write([release_row(newer)], {}, now_ms=2)

    assert Slugs(store).find("home", "main") == "a"


def test_a_slug_is_one_branch_s(store: Store) -> None:
    _claim(store, "home", EARLY, "a", branch="draft")

    assert Slugs(store).find("home", "main") is None
    assert Slugs(store).find("home", "draft") == "a"


def test_contested_slugs_are_listed_with_their_claims(store: Store) -> None:
    _claim(store, "alone", EARLY, "a")
    _claim(store, "home", LATE, "a", branch="draft")
    rivals = [_claim(store, "home", EARLY, "a"), _claim(store, "home", LATE, "b")]

    assert list(Slugs(store).contested()) == [rivals]


@given(slugs=st.lists(TEXT, min_size=1, max_size=6, unique=True))
def test_any_text_is_a_slug_of_its_own(slugs: list[str]) -> None:
    store = MemoryStore()
    claims = [_claim(store, slug, EARLY, f"d{n}") for n, slug in enumerate(slugs)]

    for claim in claims:
        assert Slugs(store).claims(claim.slug, "main") == [claim]


def test_slugs_are_listed_with_who_claims_them_on_a_branch(store: Store) -> None:
    older = _claim(store, "home", EARLY, "z")
    newer = _claim(store, "home", LATE, "a")
    _claim(store, "at", EARLY, "b", branch="draft")
    other = _claim(store, "longer/one", EARLY, "c")
    slugs = Slugs(store)

    assert list(slugs.listed("main", "")) == [
        ("at", []),
        ("home", [newer, older]),
        ("longer/one", [other]),
    ]
    assert list(slugs.listed("main", "home")) == [("longer/one", [other])]
    assert list(slugs.listed("main", "hoop")) == [("longer/one", [other])]
    assert list(slugs.listed("main", "longer/one")) == []


@given(slugs=st.sets(TEXT.filter(bool), max_size=5), after=TEXT.filter(bool))
def test_a_list_of_slugs_goes_on_after_any_text(slugs: set[str], after: str) -> None:
    store = MemoryStore()
    for slug in slugs:
        _claim(store, slug, EARLY, "a")

    ordered = sorted(slugs, key=slug_order)
    assert [slug for slug, _ in Slugs(store).listed("main", "")] == ordered
    rest = [slug for slug in ordered if slug_order(slug) > slug_order(after)]
    assert [slug for slug, _ in Slugs(store).listed("main", after)] == rest
