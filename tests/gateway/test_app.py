"""The application as a whole: its errors, its description, who may start it."""

from __future__ import annotations

import pytest

from docreactor.gateway.reach import ANSWERED_BY
from docreactor.pipeline.errors import TokenRequiredError
from tests.gateway.deployment import Running, one_node, problem_of


async def test_a_path_that_nothing_answers_is_a_problem(one: Running) -> None:
    reply = await one.http.get("/v2/documents")

    assert problem_of(reply) == (404, "UnknownRoute")
    assert reply.headers[ANSWERED_BY] == "local"


async def test_a_method_that_a_path_does_not_take_is_a_problem_naming_those_it_does(
    one: Running,
) -> None:
    reply = await one.http.put("/v1/documents", json={})

    assert problem_of(reply) == (405, "MethodNotAllowed")
    assert reply.headers["allow"] == "GET, POST"


async def test_a_query_that_cannot_be_is_a_problem_naming_the_field(one: Running) -> None:
    reply = await one.http.get("/v1/jobs/x-1", params={"wait": "forever"})

    assert problem_of(reply) == (422, "InvalidInput")
    assert reply.json()["field"] == "wait"


async def test_every_call_is_described_with_its_shapes(one: Running) -> None:
    document = (await one.http.get("/openapi.json")).json()

    assert {
        "/v1/documents",
        "/v1/documents/{document_id}/actions",
        "/v1/documents/{document_id}",
        "/v1/documents/{document_id}/operations",
        "/v1/jobs/{job_id}",
        "/v1/positions",
        "/v1/models",
        "/healthz",
        "/readyz",
        "/metrics",
    } <= set(document["paths"])
    create = document["paths"]["/v1/documents"]["post"]
    body = create["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    assert body.rpartition("/")[2] in document["components"]["schemas"]
    assert "/docs" not in document["paths"]
    assert (await one.http.get("/docs")).status_code == 200


async def test_it_does_not_stand_open_to_others_without_a_token() -> None:
    with pytest.raises(ExceptionGroup) as refusal:
        async with one_node(host="0.0.0.0"):
            pass
    assert refusal.group_contains(TokenRequiredError, match="DOCREACTOR_HTTP_TOKEN")
