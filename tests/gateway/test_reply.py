"""What goes back over HTTP."""

from __future__ import annotations

import orjson
import pytest

from docreactor.gateway.reply import Reply, refuse
from docreactor.pipeline.errors import (
    LogError,
    MethodNotAllowedError,
    ReactorError,
    RestoringError,
    RevisionMismatchError,
    TooBusyError,
    UnauthorizedError,
)


def test_a_refusal_is_a_problem_document_with_the_errors_status_and_facts() -> None:
    reply = refuse(RevisionMismatchError(expected=1, actual=2), {"X-Node": "a"})

    assert reply.status_code == 409
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["x-node"] == "a"
    document = orjson.loads(reply.body)
    assert document["title"] == "RevisionMismatch"
    assert (document["expected"], document["actual"]) == (1, 2)


@pytest.mark.parametrize(
    "error",
    [
        TooBusyError(backlog=3, limit=2),
        RestoringError(0, state="restoring", progress=0.5),
        LogError("the broker is away"),
    ],
)
def test_what_may_pass_says_when_to_try_again(error: ReactorError) -> None:
    assert refuse(error).headers["retry-after"] == "1"
    assert "retry-after" not in refuse(RevisionMismatchError(expected=1, actual=2)).headers


def test_a_refusal_says_what_its_status_must() -> None:
    assert refuse(UnauthorizedError()).headers["www-authenticate"] == "Bearer"
    assert refuse(MethodNotAllowedError("PUT", "/", allow="GET")).headers["allow"] == "GET"


def test_raw_json_passes_through() -> None:
    assert Reply({"state": orjson.Fragment(b'{"a":1}')}).body == b'{"state":{"a":1}}'
