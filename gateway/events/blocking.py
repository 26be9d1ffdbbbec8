"""A stream of events for programs without async: each step waits for the next."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from anyio.from_thread import BlockingPortal

from docreactor.gateway.events.answers import AnyEvent
from docreactor.gateway.events.following import Events


class SyncEvents:
    """As Events. Use it in `with`, and step through it in one thread; an interrupt ends a step."""

    def __init__(self, events: Events, portal: BlockingPortal) -> None:
        self._events = events
        self._portal = portal

    @property
    def cursor(self) -> str | None:
        """As Events'."""
        return self._events.cursor

    def close(self) -> None:
        """End it. Idempotent."""
        self._portal.call(self._events.aclose)

    def __enter__(self) -> Self:
        self._wait(self._events.__aenter__)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AnyEvent:
        event: AnyEvent | None = self._wait(self._next)
        if event is None:
            raise StopIteration
        return event

    async def _next(self) -> AnyEvent | None:
        return await anext(self._events, None)

    def _wait(self, step: Any) -> Any:
        waiting = self._portal.start_task_soon(step)
        try:
            return waiting.result()
        except BaseException:
            # Left alone, the step would go on, and take an event that nobody gets.
            waiting.cancel()
            raise
