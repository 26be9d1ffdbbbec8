"""The door of every call."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from docreactor.gateway.figures import Figures
from docreactor.gateway.guard import Guard, check_exposure
from docreactor.pipeline.errors import TokenRequiredError
from docreactor.pipeline.settings import Settings
from tests.gateway.deployment import Running, one_node, problem_of


async def test_every_call_but_the_probes_needs_the_token() -> None:
    async with one_node(http_token="open sesame") as one:
        for headers in ({"authorization": ""}, {"authorization": "Bearer open"}):
            for path in ("/v1/models", "/v1/documents/a", "/metrics", "/docs", "/openapi.json"):
                reply = await one.http.get(path, headers=headers)
                assert problem_of(reply) == (401, "Unauthorized")
                assert reply.headers["www-authenticate"] == "Bearer"
            for path in ("/healthz", "/readyz"):
                assert (await one.http.get(path, headers=headers)).status_code == 200
        assert (await one.http.get("/v1/models")).status_code == 200


async def test_a_call_keeps_the_id_it_brings_and_gets_one_without(one: Running) -> None:
    brought = await one.http.get("/v1/models", headers={"X-Request-ID": "mine-1"})
    minted = await one.http.get("/v1/models")
    refused = await one.http.get("/v1/models", headers={"X-Request-ID": "mine 1"})

    assert brought.headers["x-request-id"] == "mine-1"
    assert len(minted.headers["x-request-id"]) == 36
    assert refused.headers["x-request-id"] not in ("mine 1", "")


async def test_a_mutation_is_logged_with_job_document_and_partition(one: Running) -> None:
    with capture_logs() as lines:
        job = await one.create("shop-1")
        await one.http.get("/v1/documents/nobody")

    call, refusal = [line for line in lines if line["event"] == "call"]
    assert call["job"] == job["id"]
    assert call["document"] == "shop-1"
    assert call["partition"] == one.node.partition_of("shop-1")
    assert (call["status"], call["log_level"]) == (200, "info")
    assert (refusal["error"], refusal["status"]) == ("DocumentNotFound", 404)


async def test_what_nobody_foresaw_is_a_problem_naming_the_line_of_the_log() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    app = Guard(broken, token=None, mint=lambda: "call-1", figures=Figures())
    transport = httpx.ASGITransport(app=app)
    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as http:
            reply = await http.get("/")

    assert problem_of(reply) == (500, "Unexpected")
    assert reply.json()["request_id"] == "call-1"
    assert "nobody foresaw" not in reply.text
    assert lines[0]["request_id"] == "call-1"
    assert lines[0]["log_level"] == "error"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_loopback_needs_no_token(host: str) -> None:
    check_exposure(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "node.example"])
def test_any_other_address_needs_a_token(host: str) -> None:
    with pytest.raises(TokenRequiredError):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, http_token=SecretStr("open sesame")))
