"""What callers ask of documents."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.gateway.read_queries import (
    BranchesQuery,
    DocumentQuery,
    ExistsQuery,
    FindQuery,
    HistoryQuery,
    SlugsQuery,
)
from docreactor.gateway.requests import Request
from docreactor.tables.criteria import Life, Order


def test_several_values_are_comma_separated_or_repeated() -> None:
    query = DocumentQuery.model_validate({"scopes": ["a,b", "c", ""]})

    assert query.scopes == ["a", "b", "c"]


def test_a_slug_with_commas_stands_for_itself_first() -> None:
    query = FindQuery.model_validate({"slugs": ["a,b", "c"]})

    assert query.slugs == ["a,b", "a", "b", "c", "c"]


def test_a_flag_may_stand_alone() -> None:
    query = DocumentQuery.model_validate({"header_only": "", "include_deleted": "true"})

    assert query.header_only
    assert query.include_deleted
    assert not DocumentQuery.model_validate({"header_only": "false"}).header_only


def test_who_is_asked_for_is_said_by_two_flags() -> None:
    lives = [
        FindQuery.model_validate(given).life
        for given in (
            {},
            {"include_deleted": "true"},
            {"deleted": "true"},
            {"deleted": "true", "include_deleted": "true"},
        )
    ]

    assert lives == [Life.LIVING, Life.EITHER, Life.DELETED, Life.DELETED]


def test_an_order_is_known_by_its_name() -> None:
    assert FindQuery.model_validate({"order": "-updated"}).order is Order.OLDEST
    assert FindQuery().order is Order.ID


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (FindQuery, {"order": "random"}),
        (FindQuery, {"limit": 1_001}),
        (FindQuery, {"children": "a"}),
        (DocumentQuery, {"by": "name"}),
        (DocumentQuery, {"header_only": "perhaps"}),
        (BranchesQuery, {"branch": "main"}),
        (ExistsQuery, {"limit": 1}),
        (SlugsQuery, {"limit": 0}),
        (HistoryQuery, {"since": -2}),
    ],
)
def test_what_cannot_be_is_refused(kind: type[Request], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(given)
