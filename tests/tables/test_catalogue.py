"""Documents are listed under their type, by id."""

from __future__ import annotations

import pytest

from docreactor.tables.catalogue import Catalogue, catalogue_row
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Store


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    listed = [
        ("todo", "main", "a"),
        ("todo", "main", "a+"),
        ("todo", "main", "b"),
        ("todo", "draft", "c"),
        ("todo/x", "main", "d"),
    ]
    store.write([catalogue_row(*entry, is_live=True) for entry in listed], {}, now_ms=1)
    return store


def test_a_type_lists_its_documents_of_one_branch_by_id(store: Store) -> None:
    catalogue = Catalogue(store)

    assert list(catalogue.after("todo", "main", "")) == ["a", "a+", "b"]
    assert list(catalogue.after("todo", "draft", "")) == ["c"]
    assert list(catalogue.after("todo/x", "main", "")) == ["d"]
    assert list(catalogue.after("tod", "main", "")) == []


def test_a_list_goes_on_after_an_id_whether_it_is_there_or_not(store: Store) -> None:
    catalogue = Catalogue(store)

    assert list(catalogue.after("todo", "main", "a")) == ["a+", "b"]
    assert list(catalogue.after("todo", "main", "aa")) == ["b"]
    assert list(catalogue.after("todo", "main", "b")) == []


def test_a_document_that_is_not_alive_is_taken_off_the_list(store: Store) -> None:
    store.write([catalogue_row("todo", "main", "a", is_live=False)], {}, now_ms=2)

    assert list(Catalogue(store).after("todo", "main", "")) == ["a+", "b"]
