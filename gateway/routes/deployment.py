"""The calls about the deployment itself: what it can run, whether it serves, its figures."""

from __future__ import annotations

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from docreactor.gateway.answers import Health, Models
from docreactor.gateway.figures import Figures
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import Reply
from docreactor.pipeline.errors import RestoringError


class DeploymentRoutes:
    """GET /v1/models, /healthz, /readyz and /metrics."""

    def __init__(self, reach: Reach, figures: Figures) -> None:
        self._reach = reach
        self._node = reach.node
        self._figures = figures

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        for path, call, answer in (
            ("/v1/models", self.models, Models),
            ("/healthz", self.health, Health),
            ("/readyz", self.readiness, Health),
        ):
            app.add_api_route(
                path,
                call,
                methods=["GET"],
                response_model=None,
                tags=["deployment"],
                responses=replies({200: answer}),
            )
        app.add_api_route(
            "/metrics", self.metrics, methods=["GET"], response_model=None, tags=["deployment"]
        )

    async def models(self) -> Response:
        """The models of this node: types, versions, and the JSON Schema of each action."""
        models = [model.describe() for model in self._node.registry.models.values()]
        return self._reply({"models": models, "next_cursor": None})

    async def health(self) -> Response:
        """Whether the process lives; says where each of its partitions stands."""
        return self._reply(self._health("alive"))

    async def readiness(self) -> Response:
        """200 when every partition assigned to this node serves, else 503 Restoring."""
        if self._node.ready():
            return self._reply(self._health("ready"))
        waiting = [
            partition
            for partition in range(self._node.partition_count)
            if self._node.owner(partition) in (None, self._node.url)
            and self._node.local(partition) is None
        ]
        graph = self._node.graph
        if not waiting and not graph.is_ready:
            raise RestoringError(None, state="restoring edges", progress=graph.progress)
        raise self._node.restoring(waiting[0] if waiting else 0)

    async def metrics(self) -> Response:
        """Figures for Prometheus."""
        content = generate_latest(self._node.metrics.registry)
        content += generate_latest(self._figures.registry)
        return Response(content, headers={"content-type": CONTENT_TYPE_LATEST})

    def _health(self, status: str) -> dict[str, object]:
        rows = [row for row in self._node.positions() if row["url"] == self._node.url]
        failures, graph = self._node.registry.failures, self._node.graph
        errors = {f"{row['name']}/{row['partition']}": row["error"] for row in rows if row["error"]}
        if graph.error is not None:
            errors["graph"] = str(graph.error)
        return {
            "status": status,
            "node": self._node.node_id,
            "partitions": {
                str(row["partition"]): str(row["state"]).lower()
                for row in rows
                if row["kind"] == "reducer"
            },
            "errors": errors,
            "failures": {spec: str(failure) for spec, failure in failures.items()},
        }

    def _reply(self, content: object) -> Response:
        return Reply(content, headers=self._reach.headers())
