"""Bodies of requests, read from a socket or not."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from docreactor.gateway.body import parse_body, read_body
from docreactor.gateway.requests import SubmitRequest
from docreactor.pipeline.errors import InvalidInputError, TooLargeError
from docreactor.pipeline.settings import Settings

SMALL = Settings(job_bytes_max=10)


def request_of(*parts: bytes, **headers: str) -> Request:
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


async def test_a_body_is_put_together_from_its_parts() -> None:
    request = request_of(b"[1", b"]", content_type="application/json; charset=utf-8")

    assert await read_body(request, SMALL) == b"[1]"


async def test_a_body_that_announces_too_much_is_not_read() -> None:
    request = request_of(content_type="application/json", content_length="31")

    with pytest.raises(TooLargeError) as refusal:
        await read_body(request, SMALL)
    assert refusal.value.facts == {"limit": 30, "actual": 31}


async def test_a_body_that_announces_nothing_is_read_up_to_the_limit() -> None:
    request = request_of(b"x" * 20, b"x" * 20, b"never read", content_type="application/json")

    with pytest.raises(TooLargeError):
        await read_body(request, SMALL)
    assert (await request.receive())["body"] == b"never read"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_a_body_that_is_not_said_to_be_json_is_refused(kind: str) -> None:
    with pytest.raises(InvalidInputError, match="Content-Type"):
        await read_body(request_of(b"{}", content_type=kind), SMALL)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{nope", "body"),
        (b"", "body"),
        (b"[]", "body"),
        (b'{"actions": [{"type": "A", "input": NaN}]}', "body"),
        (b'{"actions": [{"type": "A", "input": "\\ud800"}]}', "body"),
        (b'{"actions": 3}', "actions"),
        (b'{"actions": [{"type": 3, "input": {}}]}', "actions.0.type"),
        (b'{"actions": [{"type": "A", "input": {}, "skip": 1}]}', "actions.0.skip"),
    ],
)
def test_a_body_that_is_not_of_its_shape_is_refused_by_field(content: bytes, field: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        parse_body(content, SubmitRequest)
    assert refusal.value.facts["field"] == field
