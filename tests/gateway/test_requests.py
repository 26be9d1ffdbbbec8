"""What callers send."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.gateway.requests import (
    ActionRequest,
    Request,
    SubmitRequest,
    WaitQuery,
)


def test_an_action_goes_to_the_global_scope_by_default() -> None:
    assert ActionRequest(type="A", input=None).scope == "global"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (WaitQuery, {"wait": "long"}),
        (WaitQuery, {"timeout_ms": -1}),
        (WaitQuery, {"timeout_ms": 300_001}),
        (WaitQuery, {"patience": 1}),
        (SubmitRequest, {"actions": [], "expected_revision": 1.0}),
        (SubmitRequest, {"actions": [], "expected_revision": True}),
    ],
)
def test_what_cannot_be_is_refused(kind: type[Request], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind.model_validate(given)
