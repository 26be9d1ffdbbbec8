"""What a node tells of itself over HTTP."""

from __future__ import annotations

from docreactor.gateway.reach import ANSWERED_BY, NODE
from tests.gateway.deployment import Running


async def test_positions_tell_reducer_and_view_of_every_partition(one: Running) -> None:
    reply = await one.http.get("/v1/positions")

    rows = reply.json()["positions"]
    told = {(row["kind"], row["name"], row["partition"]) for row in rows}
    for partition in range(one.node.partition_count):
        assert {("reducer", "reducer", partition), ("view", "documents", partition)} <= told
    assert {row["state"] for row in rows} == {"RUNNING"}
    assert {row["url"] for row in rows} == {"http://node"}
    assert reply.headers[ANSWERED_BY] == "local"


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


async def test_metrics_are_for_prometheus_and_tell_of_calls_too(one: Running) -> None:
    await one.create("shop-1")
    await one.http.get("/v1/documents/nobody")

    reply = await one.http.get("/metrics")

    assert reply.headers["content-type"].startswith("text/plain")
    assert "docreactor_operations_total 2.0" in reply.text
    assert 'docreactor_http_refusals_total{name="DocumentNotFound"} 1.0' in reply.text
    called = 'docreactor_http_seconds_count{method="POST",route="/v1/documents",status="200"} 1.0'
    assert called in reply.text
