"""What a node tells of itself over HTTP."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from docreactor.gateway.app import create_app
from docreactor.gateway.reach import NODE
from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.packages import Packages
from docreactor.pipeline.registry import Registry
from tests.gateway.deployment import Running, problem_of
from tests.support.nodes import site
from tests.support.package import install


async def test_models_tell_versions_and_the_schema_of_each_action(one: Running) -> None:
    models = (await one.http.get("/v1/models")).json()["models"]

    todo = next(model for model in models if model["document_type"] == "example/todo")
    assert todo["version"] == 1
    schemas = {action["type"]: action["schema"] for action in todo["actions"]}
    assert sorted(schemas) == ["ADD_ITEM", "COMPLETE_ITEM", "REMOVE_ITEM"]
    assert schemas["ADD_ITEM"]["properties"]["text"]["maxLength"] == 1_000


async def test_a_node_that_serves_is_alive_and_ready(one: Running) -> None:
    alive = await one.http.get("/healthz")
    ready = await one.http.get("/readyz")

    assert (alive.status_code, alive.json()["status"]) == (200, "alive")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["partitions"]["0"] == "running"
    assert ready.headers[NODE] == one.node.node_id


async def test_health_says_which_model_a_partition_waits_for(one: Running) -> None:
    await one.create("shop-1")
    partition = one.node.partition_of("d1")
    create = {"model": "t/unknown", "document_id": "d1"}
    action = Action(id="a1", type="CREATE_DOCUMENT", scope="document", input=create)
    job = Mutation(
        id=f"j1-{partition}", document_id="d1", branch="main", scope="document", actions=(action,)
    )
    await one.node.submit(job)

    async with asyncio.timeout(10.0):
        while not (told := (await one.http.get("/healthz")).json())["errors"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert told["status"] == "alive"
    assert told["partitions"][str(partition)] == "running"
    (error,) = told["errors"].values()
    assert told["errors"].keys() == {f"reducer/{partition}"}
    assert error.startswith("UnknownModel: no model t/unknown is loaded: name it with --models")
    assert (await one.http.get("/readyz")).json()["errors"] == told["errors"]
    positions = (await one.http.get("/v1/positions")).json()["positions"]
    assert [row["error"] for row in positions if row["error"]] == [error]
    assert (await one.http.get(f"/v1/jobs/{job.id}")).json()["status"] == "PENDING"
    assert (await one.http.get("/v1/documents/shop-1")).status_code == 200


async def test_health_says_which_packages_bring_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "broken_package", "raise RuntimeError('not today')")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry([], Packages(time.monotonic))
    async with site().node(registry=registry) as node:
        app = create_app(node)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://node") as http,
        ):
            told = (await http.get("/healthz")).json()

    (failure,) = told["failures"].values()
    assert "RuntimeError: not today" in failure
    assert told["errors"] == {}


async def test_metrics_are_for_prometheus_and_tell_of_calls_too(one: Running) -> None:
    await one.create("shop-1")
    await one.http.get("/v1/documents/nobody")

    reply = await one.http.get("/metrics")

    assert reply.headers["content-type"].startswith("text/plain")
    assert "docreactor_operations_total 2.0" in reply.text
    assert 'docreactor_http_refusals_total{name="DocumentNotFound"} 1.0' in reply.text
    called = 'docreactor_http_seconds_count{method="POST",route="/v1/documents",status="200"} 1.0'
    assert called in reply.text


async def test_health_says_what_holds_the_graph_of_the_node(one: Running) -> None:
    one.node.graph.error = OSError("no space left")
    told = (await one.http.get("/healthz")).json()
    one.node.graph.is_ready = False
    waiting = await one.http.get("/readyz")

    assert told["errors"]["graph"] == "no space left"
    assert problem_of(waiting) == (503, "Restoring")
    assert "restoring edges" in waiting.json()["detail"]
