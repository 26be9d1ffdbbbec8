"""The calls of the Python client that tell of what happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TypedDict, Unpack

from docreactor.gateway.connection import joined
from docreactor.gateway.events.callbacks import Callbacks, ErrorHandler
from docreactor.gateway.events.following import Events
from docreactor.gateway.reading import Reading

Values = str | Sequence[str] | None


class Wanted(TypedDict, total=False):
    """Which events. Several values of one are alternatives; every one that is given must hold.

    `events` are their names; `type` is a document's; `parent` leaves those of its children. With
    `cursor` they begin right behind the event that had it, else with what is written from now on.
    """

    events: Values
    type: Values
    id: Values
    parent: Values
    branch: Values
    scope: Values
    cursor: str | None


class Subscribing(Reading):
    """What tells of events, each once reads show it."""

    def events(self, **wanted: Unpack[Wanted]) -> Events:
        """Events as they happen: `async with` it, then `async for` each."""
        parameters = {
            "events": joined(wanted.get("events")),
            "type": joined(wanted.get("type")),
            "id": joined(wanted.get("id")),
            "parent": joined(wanted.get("parent")),
            "branch": joined(wanted.get("branch")),
            "scope": joined(wanted.get("scope")),
        }
        cursor = wanted.get("cursor")
        return Events(self._connection, parameters, cursor=cursor, learn=self._learn)

    @asynccontextmanager
    async def subscribe(
        self, *, on_error: ErrorHandler | None = None, **wanted: Unpack[Wanted]
    ) -> AsyncGenerator[Callbacks]:
        """Callbacks for events: register them in the block, then `await` their `run`.

        Inside of the block nothing is missed, however late it runs.
        """
        async with self.events(**wanted) as events:
            yield Callbacks(events, self, on_error=on_error)

    def _learn(self, token: str) -> None:
        """Told of each event's token: a session remembers it."""
