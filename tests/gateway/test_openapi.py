"""How the calls are described."""

from __future__ import annotations

import re

import orjson

from docreactor.gateway.answers import Job
from docreactor.gateway.openapi import Gateway, body_of, replies
from docreactor.gateway.requests import CreateRequest
from tests.gateway.deployment import Running


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


async def test_every_shape_that_a_call_names_is_described(one: Running) -> None:
    document = (await one.http.get("/openapi.json")).json()

    named = set(re.findall(rb'"#/components/schemas/([^"]+)"', orjson.dumps(document)))
    assert {name.decode() for name in named} <= set(document["components"]["schemas"])
    for method, path, body in (
        ("post", "operations", "LoadRequest"),
        ("post", "relationships", "RelateRequest"),
        ("patch", "relationships", "RelateRequest"),
        ("delete", "relationships", "UnrelateRequest"),
        ("post", "children", "ChildrenRequest"),
        ("delete", "children", "ChildrenRequest"),
    ):
        call = document["paths"][f"/v1/documents/{{document_id}}/{path}"][method]
        shape = call["requestBody"]["content"]["application/json"]["schema"]
        assert shape["$ref"].endswith(f"/{body}")
        assert {"200", "202", "default"} <= set(call["responses"])
