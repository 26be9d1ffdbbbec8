"""What a program wants to be called with when something happens."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from docreactor.gateway.answers import Document
from docreactor.gateway.events.answers import AnyEvent, DocumentEvent, RelationshipEvent
from docreactor.gateway.events.following import Events
from docreactor.gateway.events.notice import CREATED, DELETED, RELATED, UPDATED, EventName
from docreactor.gateway.reading import Reading
from docreactor.pipeline.errors import (
    CallbackFailedError,
    DocumentDeletedError,
    DocumentErasedError,
    DocumentNotFoundError,
)
from docreactor.pipeline.inputs import DEFAULT_BRANCH

Answered = Awaitable[None] | None
Unsubscribe = Callable[[], None]
ErrorHandler = Callable[[CallbackFailedError], Answered]

_GONE = (DocumentDeletedError, DocumentErasedError, DocumentNotFoundError)


@dataclass(frozen=True, slots=True)
class _Callback:
    subscription_id: str
    call: Callable[..., Answered]


class Callbacks:
    """Calls what was registered, event after event; each callback may be a coroutine function.

    A callback that fails does not keep the others from being called. What failed goes to the
    error handler, after all have run; without one it is raised out of `run`, all of one event in
    one ExceptionGroup.
    """

    def __init__(
        self, events: Events, reading: Reading, *, on_error: ErrorHandler | None = None
    ) -> None:
        self._events = events
        self._reading = reading
        self._on_error = on_error
        self._callbacks: dict[str, list[_Callback]] = {}
        self._numbers = count(1)

    @property
    def cursor(self) -> str | None:
        """Where whoever has been told the last event goes on."""
        return self._events.cursor

    def on_document_created(self, callback: Callable[[DocumentEvent], Answered]) -> Unsubscribe:
        """Call it with every creation."""
        return self._register(CREATED, callback)

    def on_document_updated(
        self, callback: Callable[[DocumentEvent, Document], Answered]
    ) -> Unsubscribe:
        """Call it with every change and the document, which shows the change or a later one.

        A document that is deleted by then is left out: the event that says so follows.
        """
        return self._register(UPDATED, callback)

    def on_document_deleted(self, callback: Callable[[DocumentEvent], Answered]) -> Unsubscribe:
        """Call it with every deletion and erasure."""
        return self._register(DELETED, callback)

    def on_relationship_changed(
        self, callback: Callable[[RelationshipEvent], Answered]
    ) -> Unsubscribe:
        """Call it with every edge that was added, updated or removed."""
        return self._register(RELATED, callback)

    async def run(self) -> None:
        """Call them until this is cancelled."""
        async for event in self._events:
            await self.tell(event)

    async def tell(self, event: AnyEvent) -> None:
        """Call those that this event is for, one after the other."""
        callbacks = list(self._callbacks.get(event.event, ()))
        if not callbacks:
            return
        given: list[Any] = [event]
        failed: list[CallbackFailedError] = []
        if isinstance(event, DocumentEvent) and event.event == UPDATED:
            try:
                given.append(await self._document(event))
            except _GONE:
                return
            except Exception as error:  # noqa: BLE001  each callback has missed its document
                failed = [_failure(callback, event, error) for callback in callbacks]
                callbacks = []
        for callback in callbacks:
            # One may have unsubscribed another.
            if callback in self._callbacks.get(event.event, ()):
                try:
                    await _answered(callback.call(*given))
                except Exception as error:  # noqa: BLE001  a callback may do anything
                    failed.append(_failure(callback, event, error))
        await self._report(event, failed)

    async def _document(self, event: DocumentEvent) -> Document:
        branch = event.branch or DEFAULT_BRANCH
        return await self._reading.get(event.document_id, branch=branch, token=event.token)

    async def _report(self, event: AnyEvent, failed: Sequence[CallbackFailedError]) -> None:
        if not failed:
            return
        if self._on_error is None:
            raise ExceptionGroup(f"callbacks for {event.event}", failed)
        for failure in failed:
            await _answered(self._on_error(failure))

    def _register(self, event: EventName, call: Callable[..., Answered]) -> Unsubscribe:
        callback = _Callback(f"{event}/{next(self._numbers)}", call)
        alike = self._callbacks.setdefault(event, [])
        alike.append(callback)

        def unsubscribe() -> None:
            if callback in alike:
                alike.remove(callback)

        return unsubscribe


def _failure(callback: _Callback, event: AnyEvent, cause: Exception) -> CallbackFailedError:
    failure = CallbackFailedError(
        event_type=event.event,
        subscription_id=callback.subscription_id,
        event=event.model_dump(mode="json"),
        cause=cause,
    )
    failure.__cause__ = cause
    return failure


async def _answered(answer: Answered) -> None:
    if inspect.isawaitable(answer):
        await answer
