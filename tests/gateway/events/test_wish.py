"""Which events a subscriber wants."""

from __future__ import annotations

import pytest

from docreactor.gateway.events.notice import CREATED, DELETED, RELATED, UPDATED, Notice
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.position import Offset

UPDATE = Notice(UPDATED, Offset(0), ("d1",), "main", "todo", {"global", "local"}, b"{}")
ERASURE = Notice(DELETED, Offset(0), ("d1",), None, None, None, b"{}")
EDGE = Notice(RELATED, Offset(0), ("d1", "d2"), "main", None, None, b"{}")


def wish(**filters: str) -> Wish:
    return Wish(**{name: frozenset(values.split()) for name, values in filters.items()})


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        ({}, True),
        ({"events": UPDATED}, True),
        ({"events": f"{CREATED} {UPDATED}"}, True),
        ({"events": CREATED}, False),
        ({"document_types": "todo text"}, True),
        ({"document_types": "text"}, False),
        ({"ids": "d1 d7"}, True),
        ({"ids": "d7"}, False),
        ({"branches": "draft"}, False),
        ({"scopes": "local other"}, True),
        ({"scopes": "other"}, False),
        ({"document_types": "todo", "ids": "d7"}, False),
        ({"document_types": "todo", "ids": "d1", "scopes": "global", "branches": "main"}, True),
    ],
)
def test_values_of_one_filter_are_alternatives_and_filters_add_up(
    filters: dict[str, str], admitted: bool
) -> None:
    assert wish(**filters).admits(UPDATE) is admitted


def test_what_an_event_does_not_say_excludes_nothing() -> None:
    unsaid = wish(document_types="todo", branches="main", scopes="local")

    assert unsaid.admits(ERASURE)
    assert unsaid.admits(EDGE)
    assert not wish(branches="draft").admits(EDGE)
    assert not wish(ids="d7", document_types="todo").admits(ERASURE)


def test_an_edge_is_wanted_by_either_end_and_by_its_source_as_parent() -> None:
    assert wish(ids="d1").admits(EDGE)
    assert wish(ids="d2").admits(EDGE)
    assert wish(parents="d1").admits(EDGE)
    assert not wish(parents="d2").admits(EDGE)


def test_parents_of_documents_are_asked_of_the_graph() -> None:
    children = wish(parents="d9")

    assert children.admits(UPDATE)
    assert children.asks_for_parents_of(UPDATE)
    assert not children.asks_for_parents_of(EDGE)
    assert not wish(ids="d1").asks_for_parents_of(UPDATE)
