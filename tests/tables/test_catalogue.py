"""Documents are listed under their type: by id, and by the time of their last change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.document import Document
from docreactor.tables.catalogue import Catalogue, Change, Entry
from docreactor.tables.criteria import Criteria, Life, Order, Place
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import Store

IDS = st.from_regex(r"[A-Za-z0-9._~+=@-]{1,3}", fullmatch=True)
SECONDS = st.sampled_from([0, 0.000001, 0.05, 0.099999, 0.1, 0.100001, 0.9, 1, 3])
"""Within a tenth of a second, at its edges and beyond."""


def time(second: float) -> str:
    return f"2026-11-21T00:00:{second:09.6f}Z"


def entry(second: float, document_type: str = "todo", *, is_deleted: bool = False) -> Entry:
    return Entry(document_type, time(second), is_deleted)


def write(
    store: Store,
    document_id: str,
    second: float,
    document_type: str | None = None,
    *,
    branch: str = "main",
    is_deleted: bool = False,
) -> None:
    """List a document at a second; with a type its own scope changes, else another one."""
    document = None
    if document_type is not None:
        document = Document(
            id=document_id,
            document_type=document_type,
            slug=document_id,
            name=None,
            branch=branch,
            created_at=time(0),
            protocol_versions={},
            meta={},
            is_deleted=is_deleted,
        )
    change = Change(document_id, branch, time(second), document)
    store.write(Catalogue(store).rows([change]), {}, now_ms=1)


@pytest.fixture(params=["in memory", "on disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = RocksStore.open(tmp_path) if request.param == "on disk" else MemoryStore()
    write(store, "a", 5, "todo")
    write(store, "a+", 1, "todo")
    write(store, "b", 3, "todo")
    write(store, "gone", 4, "todo", is_deleted=True)
    write(store, "c", 0, "todo", branch="draft")
    write(store, "d", 0, "todo/x")
    yield store
    store.close()


def ids(store: Store, criteria: Criteria, after: Place | None = None) -> list[str]:
    return [one.document_id for one in Catalogue(store).listed(criteria, after)]


def test_a_type_lists_its_documents_of_one_branch_by_id(store: Store) -> None:
    assert ids(store, Criteria("todo")) == ["a", "a+", "b"]
    assert ids(store, Criteria("todo", "draft")) == ["c"]
    assert ids(store, Criteria("todo/x")) == ["d"]
    assert ids(store, Criteria("tod")) == []


def test_a_type_lists_its_documents_by_the_time_of_their_last_change(store: Store) -> None:
    assert ids(store, Criteria("todo", order=Order.NEWEST)) == ["a", "b", "a+"]
    assert ids(store, Criteria("todo", order=Order.OLDEST)) == ["a+", "b", "a"]


def test_the_deleted_are_listed_for_themselves_or_with_the_living(store: Store) -> None:
    assert ids(store, Criteria("todo", life=Life.DELETED)) == ["gone"]
    assert ids(store, Criteria("todo", life=Life.EITHER)) == ["a", "a+", "b", "gone"]
    newest = Criteria("todo", life=Life.EITHER, order=Order.NEWEST)
    assert ids(store, newest) == ["a", "gone", "b", "a+"]


def test_a_list_goes_on_after_a_document_whether_it_is_there_or_not(store: Store) -> None:
    by_id = Criteria("todo")
    assert ids(store, by_id, Place("a", "")) == ["a+", "b"]
    assert ids(store, by_id, Place("aa", "")) == ["b"]
    assert ids(store, by_id, Place("b", "")) == []
    newest = Criteria("todo", order=Order.NEWEST)
    assert ids(store, newest, Place("a", time(5))) == ["b", "a+"]
    assert ids(store, newest, Place("x", time(3))) == ["b", "a+"]
    assert ids(store, Criteria("todo", order=Order.OLDEST), Place("b", time(3))) == ["a"]


def test_a_change_moves_a_document_and_leaves_nothing_where_it_was(store: Store) -> None:
    before = len(list(store.keys(b"", b"\xff")))
    write(store, "a+", 9)

    assert ids(store, Criteria("todo", order=Order.NEWEST)) == ["a+", "a", "b"]
    assert ids(store, Criteria("todo")) == ["a", "a+", "b"]
    assert list(Catalogue(store).of("a+")) == [("main", entry(9))]
    assert len(list(store.keys(b"", b"\xff"))) == before


def test_changes_in_quick_succession_move_a_document_and_leave_nothing_either(
    store: Store,
) -> None:
    before = len(list(store.keys(b"", b"\xff")))
    for document_id, second in (("b", 9.01), ("a", 9.02), ("b", 9.03), ("a+", 9.04), ("a", 9.2)):
        write(store, document_id, second)

    newest = Criteria("todo", order=Order.NEWEST)
    listed = list(Catalogue(store).listed(newest, None))
    assert listed == [Place("a", time(9.2)), Place("a+", time(9.04)), Place("b", time(9.03))]
    assert list(Catalogue(store).listed(newest, Place("b", time(9.035)))) == listed[2:]
    assert len(list(store.keys(b"", b"\xff"))) == before


def test_a_deleted_document_leaves_the_living_and_may_come_back(store: Store) -> None:
    write(store, "a", 6, "todo", is_deleted=True)
    deleted = Criteria("todo", life=Life.DELETED)
    assert ids(store, Criteria("todo")) == ["a+", "b"]
    assert ids(store, deleted) == ["a", "gone"]
    assert Catalogue(store).is_living(["b", "a", "b", "nobody"], "main") == [
        True,
        False,
        True,
        False,
    ]

    write(store, "a", 6, "todo")
    assert ids(store, Criteria("todo")) == ["a", "a+", "b"]
    assert ids(store, deleted) == ["gone"]


def test_a_change_of_a_deleted_document_leaves_it_deleted(store: Store) -> None:
    write(store, "gone", 8)

    deleted = Criteria("todo", life=Life.DELETED, order=Order.NEWEST)
    assert list(Catalogue(store).listed(deleted, None)) == [Place("gone", time(8))]
    assert ids(store, Criteria("todo")) == ["a", "a+", "b"]


def test_what_stays_as_it_was_writes_nothing(store: Store) -> None:
    later, nobody = (Change(one, "main", time(2), None) for one in ("a", "nobody"))

    assert Catalogue(store).rows([later, nobody]) == []


def test_what_is_taken_off_every_list_leaves_no_row() -> None:
    store = MemoryStore()
    write(store, "a", 1, "todo")
    write(store, "a", 2, "todo/x", branch="draft", is_deleted=True)
    write(store, "a-", 1, "todo")
    store.write(list(Catalogue(store).left_rows("a")), {}, now_ms=1)

    assert all(b"a-" in key for key in store.keys(b"", b"\xff"))
    assert list(Catalogue(store).of("a")) == []


def test_the_branches_of_a_document_are_told_in_order(store: Store) -> None:
    write(store, "a", 7, "todo", branch="draft")

    branches = list(Catalogue(store).of("a"))
    assert branches == [("draft", entry(7)), ("main", entry(5))]
    assert list(Catalogue(store).of("a", "draft")) == branches[1:]
    assert list(Catalogue(store).of("a", "main")) == []


@given(
    documents=st.dictionaries(IDS, st.tuples(SECONDS, st.booleans()), max_size=12),
    order=st.sampled_from(Order),
    life=st.sampled_from(Life),
)
def test_every_list_is_the_documents_meant_in_their_order_from_any_place(
    documents: dict[str, tuple[float, bool]], order: Order, life: Life
) -> None:
    store = MemoryStore()
    places: list[Place] = []
    for document_id, (second, is_deleted) in documents.items():
        write(store, document_id, second, "todo", is_deleted=is_deleted)
        if life.means(is_deleted=is_deleted):
            places.append(Place(document_id, time(second)))
    places.sort(key=order.key, reverse=order.is_reversed)
    criteria = Criteria("todo", life=life, order=order)

    def shown(after: Place | None) -> Sequence[str]:
        return ids(store, criteria, after)

    expected = [place.document_id for place in places]
    assert shown(None) == expected
    for number, place in enumerate(places, 1):
        assert shown(place) == expected[number:]
