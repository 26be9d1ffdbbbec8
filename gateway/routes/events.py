"""The call that tells of what happens, as it happens."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import FastAPI, Header, Query
from pydantic import Field, field_validator
from starlette.responses import Response

from docreactor.gateway.events.hub import Hub
from docreactor.gateway.events.notice import EventName
from docreactor.gateway.events.reply import EventReply
from docreactor.gateway.events.wish import Wish
from docreactor.gateway.figures import Figures
from docreactor.gateway.openapi import replies
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import Request, Several
from docreactor.pipeline.ids import check_id

_NAMES = get_args(EventName)


class EventsQuery(Request):
    """Which events: of these `events`, document types, documents, parents, branches and scopes.

    Several values of one are alternatives, and every one that is given must hold. A value that an
    event does not have excludes nothing: relationships have neither `type` nor `scope`.
    """

    events: Several = Field(default_factory=list)
    type: Several = Field(default_factory=list)
    id: Several = Field(default_factory=list)
    parent: Several = Field(default_factory=list)
    branch: Several = Field(default_factory=list)
    scope: Several = Field(default_factory=list)

    @field_validator("events")
    @classmethod
    def _known(cls, values: list[str]) -> list[str]:
        for value in values:
            if value not in _NAMES:
                raise ValueError(f"must be of {', '.join(_NAMES)}")
        return values

    @property
    def wish(self) -> Wish:
        """The same, to be asked of each event. InvalidInput for a parent that is no id."""
        for parent in self.parent:
            check_id(parent, field="parent")
        return Wish(
            events=frozenset(self.events),
            document_types=frozenset(self.type),
            ids=frozenset(self.id),
            parents=frozenset(self.parent),
            branches=frozenset(self.branch),
            scopes=frozenset(self.scope),
        )


class EventRoutes:
    """GET /v1/events."""

    def __init__(self, reach: Reach, hub: Hub, figures: Figures) -> None:
        self._reach = reach
        self._hub = hub
        self._figures = figures

    def attach(self, app: FastAPI) -> None:
        """Add the call."""
        app.add_api_route(
            "/v1/events",
            self.events,
            methods=["GET"],
            status_code=200,
            response_class=EventReply,
            response_model=None,
            response_description="A stream of events, live from its first comment on.",
            tags=["events"],
            responses=replies({}),
        )

    async def events(
        self,
        query: Annotated[EventsQuery, Query()],
        last_event_id: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Tell of documents and relationships, each once reads show it, until the caller goes.

        Every event has a `token` for such a read, and an `id`: sent back as `Last-Event-ID` it
        goes on right after that event, on any node. A caller that reads too slowly gets an event
        `overflow`, whose id goes on where the stream ends.
        """
        settings = self._reach.node.settings
        return EventReply(
            self._hub,
            query.wish,
            last_event_id or None,
            figures=self._figures,
            heartbeat_s=settings.event_heartbeat_ms / 1_000,
            headers=self._reach.headers(),
        )
