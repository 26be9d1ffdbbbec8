"""The ASGI application of one node."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from docreactor.agents.node import Node
from docreactor.gateway.events.hub import Hub
from docreactor.gateway.facts import add_facts, request_id_of
from docreactor.gateway.figures import Figures
from docreactor.gateway.guard import Guard, check_exposure
from docreactor.gateway.openapi import Gateway
from docreactor.gateway.reach import Reach
from docreactor.gateway.reply import refuse
from docreactor.gateway.routes.batches import BatchRoutes
from docreactor.gateway.routes.branches import BranchRoutes
from docreactor.gateway.routes.deleting import DeleteRoutes
from docreactor.gateway.routes.deployment import DeploymentRoutes
from docreactor.gateway.routes.documents import DocumentRoutes
from docreactor.gateway.routes.edges import EdgeRoutes
from docreactor.gateway.routes.erasing import EraseRoutes
from docreactor.gateway.routes.events import EventRoutes
from docreactor.gateway.routes.existing import ExistRoutes
from docreactor.gateway.routes.finding import FindRoutes
from docreactor.gateway.routes.generations import GenerationRoutes
from docreactor.gateway.routes.graph import GraphRoutes
from docreactor.gateway.routes.history import HistoryRoutes
from docreactor.gateway.routes.integrity import IntegrityRoutes
from docreactor.gateway.routes.jobs import JobRoutes
from docreactor.gateway.routes.keyframing import KeyframeRoutes
from docreactor.gateway.routes.loading import LoadRoutes
from docreactor.gateway.routes.positions import PositionRoutes
from docreactor.gateway.routes.quarantine import QuarantineRoutes
from docreactor.gateway.routes.relationships import RelationshipRoutes
from docreactor.gateway.routes.rows import RowRoutes
from docreactor.gateway.routes.slugs import SlugRoutes
from docreactor.gateway.routes.writing import WriteRoutes
from docreactor.pipeline.errors import (
    InvalidInputError,
    MethodNotAllowedError,
    ReactorError,
    TooLargeError,
    UnexpectedError,
    UnknownRouteError,
)

_SUMMARY = "An event-sourced document reactor on Kafka."
_VERSION = "1"


class Routes(Protocol):
    """Calls that belong together."""

    def attach(self, app: FastAPI) -> None:
        """Add the calls."""
        ...


def create_app(node: Node) -> FastAPI:
    """The application over a running node. TokenRequired when it would stand open to others."""
    check_exposure(node.settings)
    reach, figures, hub = Reach(node), Figures(), Hub.of(node)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        try:
            async with hub.running():
                yield
        finally:
            await reach.close()

    app = Gateway(
        title="docreactor",
        summary=_SUMMARY,
        version=_VERSION,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    refusals = Refusals(reach)
    app.add_exception_handler(ReactorError, refusals.of_ours)
    app.add_exception_handler(RequestValidationError, refusals.of_a_shape)
    app.add_exception_handler(HTTPException, refusals.of_a_route)
    app.add_middleware(Guard, token=node.settings.http_token, mint=node.mint, figures=figures)
    for routes in _routes(reach, hub, figures):
        routes.attach(app)
    return app


def _routes(reach: Reach, hub: Hub, figures: Figures) -> Sequence[Routes]:
    return (
        WriteRoutes(reach),
        DeleteRoutes(reach),
        LoadRoutes(reach),
        RelationshipRoutes(reach),
        EdgeRoutes(reach),
        GraphRoutes(reach),
        BatchRoutes(reach),
        FindRoutes(reach),
        DocumentRoutes(reach),
        ExistRoutes(reach),
        SlugRoutes(reach),
        BranchRoutes(reach),
        HistoryRoutes(reach),
        JobRoutes(reach),
        EraseRoutes(reach),
        IntegrityRoutes(reach),
        KeyframeRoutes(reach),
        PositionRoutes(reach),
        GenerationRoutes(reach),
        QuarantineRoutes(reach),
        RowRoutes(reach),
        EventRoutes(reach, hub, figures),
        DeploymentRoutes(reach, figures),
    )


class Refusals:
    """Turns whatever a call raises into a problem document with a name of ours."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def of_ours(self, request: Request, error: Exception) -> Response:
        """An error of our tree."""
        assert isinstance(error, ReactorError)
        add_facts(request.scope, error=error.name())
        return refuse(error, self._reach.headers())

    async def of_a_shape(self, request: Request, error: Exception) -> Response:
        """A query that is not what it must be."""
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or "query"
        return await self.of_ours(request, InvalidInputError(field, first["msg"]))

    async def of_a_route(self, request: Request, error: Exception) -> Response:
        """A path or a method that nothing answers to."""
        assert isinstance(error, HTTPException)
        path = request.scope["path"]
        named: ReactorError
        if error.status_code == 404:
            named = UnknownRouteError(path)
        elif error.status_code == 405:
            named = MethodNotAllowedError(request.method, path, allow=_methods_at(request))
        elif error.status_code == 413:
            named = TooLargeError("request", limit=0)
        elif error.status_code < 500:
            named = InvalidInputError("request", str(error.detail))
        else:
            named = UnexpectedError(request_id_of(request.scope))
        return await self.of_ours(request, named)


def _methods_at(request: Request) -> str:
    """What the path takes; one route of several at the path alone would tell its own."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods
    return ", ".join(sorted(methods))
