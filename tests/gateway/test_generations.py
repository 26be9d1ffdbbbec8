"""The shapes of calls that look after read models."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.gateway.generations import (
    BEGINNING,
    Generations,
    Quarantine,
    QuarantineQuery,
    RebuildRequest,
    ReplayQuery,
)
from docreactor.gateway.requests import LIMIT_DEFAULT, LIMIT_MAX, TIMEOUT_MAX_MS


def test_a_rebuild_begins_at_the_beginning_unless_it_is_told_otherwise() -> None:
    assert RebuildRequest().from_ == BEGINNING
    assert RebuildRequest.model_validate({"from": "2026-01-31T08:00:00Z"}).from_ != BEGINNING
    with pytest.raises(ValidationError):
        RebuildRequest.model_validate({"form": BEGINNING})


def test_a_replay_names_its_partition_and_is_bounded() -> None:
    query = ReplayQuery.model_validate({"partition": "3"})
    assert (query.partition, query.from_, query.limit) == (3, BEGINNING, LIMIT_DEFAULT)
    assert query.cursor is None


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"partition": -1},
        {"partition": 0, "limit": 0},
        {"partition": 0, "limit": LIMIT_MAX + 1},
        {"partition": 0, "cursor": "-1"},
        {"partition": 0, "cursor": "1" * 20},
        {"partition": 0, "timeout_ms": TIMEOUT_MAX_MS + 1},
        {"partition": 0, "name": "documents"},
    ],
)
def test_what_cannot_be_a_replay_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ReplayQuery.model_validate(given)


def test_the_quarantine_may_be_narrowed_to_one_read_model() -> None:
    assert QuarantineQuery().model is None
    assert QuarantineQuery(model="words").model == "words"


def test_answers_are_read_as_they_are_written() -> None:
    told = {
        "name": "words",
        "generation": 1,
        "versions": {"0": 1, "1": 2},
        "required": True,
        "retired": False,
    }
    aside = {"model": "words", "document_id": "d1", "problem": {"title": "ReadModelFailed"}}
    page = {"documents": [aside], "next_cursor": None}

    assert Generations.model_validate(told).model_dump(mode="json") == told
    assert Quarantine.model_validate(page).model_dump(mode="json") == page
