"""What is sent to wait for positions."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.gateway.coordinates import COUNT_MAX, Coordinate, PositionRequest
from docreactor.pipeline.keys import Stream


def test_a_coordinate_names_the_main_branch_and_the_global_scope_unless_told_otherwise() -> None:
    first = Coordinate(document_id="d1", operation_index=0)
    other = Coordinate(document_id="d1", scope="document", branch="draft", operation_index=7)

    assert first.stream == Stream("d1", "global", "main")
    assert (str(first), str(other)) == ("d1/global/main/0", "d1/document/draft/7")


@pytest.mark.parametrize("index", [-1, "0", 1.5, True, None])
def test_an_index_that_is_none_is_refused(index: Any) -> None:
    with pytest.raises(ValidationError):
        Coordinate(document_id="d1", operation_index=index)


def test_one_token_needs_no_list() -> None:
    assert PositionRequest.model_validate({"token": "a"}).token == ["a"]
    assert PositionRequest.model_validate({"token": ["a", "b"]}).token == ["a", "b"]
    assert PositionRequest().coordinates == []


def test_how_many_may_be_asked_for_at_once_is_bounded() -> None:
    many = [{"document_id": "d1", "operation_index": 0}] * (COUNT_MAX + 1)

    with pytest.raises(ValidationError):
        PositionRequest.model_validate({"coordinates": many})
