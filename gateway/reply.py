"""What goes back over HTTP: JSON, or a problem document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from docreactor.pipeline.errors import (
    LogError,
    MethodNotAllowedError,
    ReactorError,
    RestoringError,
    ShuttingDownError,
    TooBusyError,
    UnauthorizedError,
)
from docreactor.pipeline.problem import problem

PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_RETRIABLE = (TooBusyError, RestoringError, ShuttingDownError, LogError)


class Reply(Response):
    """A body of JSON. `orjson.Fragment` passes through as it is."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class ProblemReply(Reply):
    """A problem document."""

    media_type = PROBLEM_MEDIA_TYPE


def refuse(error: ReactorError, headers: Mapping[str, str] | None = None) -> ProblemReply:
    """The reply to a call that fails. What may be tried again says when."""
    reply = ProblemReply(problem(error), status_code=error.status, headers=headers)
    if isinstance(error, _RETRIABLE):
        reply.headers["Retry-After"] = str(RETRY_AFTER_S)
    elif isinstance(error, UnauthorizedError):
        reply.headers["WWW-Authenticate"] = "Bearer"
    elif isinstance(error, MethodNotAllowedError):
        reply.headers["Allow"] = error.facts["allow"]
    return reply
