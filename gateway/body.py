"""The body of a request: bounded while it is read, then JSON of one shape."""

from __future__ import annotations

from typing import TypeVar

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from docreactor.gateway.requests import Request as Asked
from docreactor.pipeline.errors import InvalidInputError, TooLargeError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.state import first_complaint

_Body = TypeVar("_Body", bound=Asked)

# White space and escapes make a body longer than the canonical JSON that the limit is for.
_LONGER_MAX = 3


async def read_body(request: Request, settings: Settings) -> bytes:
    """The bytes of a JSON body. TooLarge as soon as that is known, InvalidInput if not JSON's."""
    limit = settings.job_bytes_max * _LONGER_MAX
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise TooLargeError("request body in bytes", limit=limit, actual=int(announced))
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLargeError("request body in bytes", limit=limit)
        parts.append(part)
    # A web page of another site may send any other type without asking the browser's leave.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise InvalidInputError("Content-Type", "must be application/json")
    return b"".join(parts)


def has_body(request: Request) -> bool:
    """Whether the request brings one, as its headers say."""
    return request.headers.get("content-length", "0") != "0" or (
        "transfer-encoding" in request.headers
    )


def parse_body(content: bytes, kind: type[_Body]) -> _Body:
    """The body as this shape, or InvalidInput naming the field and the reason."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as cause:
        raise InvalidInputError("body", f"is not JSON: {cause}") from cause
    try:
        return kind.model_validate(value)
    except ValidationError as cause:
        field, reason = first_complaint(cause)
        raise InvalidInputError(field or "body", reason) from cause
