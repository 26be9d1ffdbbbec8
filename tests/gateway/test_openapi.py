"""How the calls are described."""

from __future__ import annotations

from docreactor.gateway.answers import Job
from docreactor.gateway.openapi import Gateway, body_of, replies
from docreactor.gateway.requests import CreateRequest


def test_a_body_that_is_read_by_hand_is_described_all_the_same() -> None:
    app = Gateway(title="test")

    async def create() -> None:
        """Create."""

    extra = body_of(CreateRequest)
    app.add_api_route("/a", create, methods=["POST"], openapi_extra=extra)

    document = app.openapi()
    shape = document["components"]["schemas"]["CreateRequest"]
    assert shape["required"] == ["document_type"]
    assert shape["additionalProperties"] is False
    assert app.openapi() is document


def test_every_call_may_answer_with_a_problem_document() -> None:
    described = replies({200: Job})

    assert described[200] == {"model": Job}
    assert list(described["default"]["content"]) == ["application/problem+json"]
