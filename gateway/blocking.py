"""The Python client for programs without async: the same calls, each of which blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial, wraps
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar, Unpack

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from docreactor.gateway.calls import Calls
from docreactor.gateway.changes import Until
from docreactor.gateway.client import DEFAULT_URL, RETRY_FOR_S, Reactor
from docreactor.gateway.events.blocking import SyncEvents
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS
from docreactor.gateway.session import Session
from docreactor.gateway.subscribing import Wanted

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _blocking(
    call: Callable[Concatenate[Calls, _Given], Awaitable[_Answer]],
) -> Callable[Concatenate[SyncCalls, _Given], _Answer]:
    @wraps(call)
    def blocking(self: SyncCalls, /, *given: _Given.args, **named: _Given.kwargs) -> _Answer:
        # By its name: a session answers some calls in a way of its own.
        own: Callable[_Given, Awaitable[_Answer]] = getattr(self.calls, blocking.__name__)
        return self.portal.call(partial(own, *given, **named))

    return blocking


class SyncCalls:
    """As Calls, each of which blocks until its answer is there. Any thread may call."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self._portal: BlockingPortal | None = None
        self._resources = ExitStack()

    @property
    def portal(self) -> BlockingPortal:
        """The way into the loop. RuntimeError outside of `with`."""
        if self._portal is None:
            raise RuntimeError(f"use {type(self).__name__} in a with statement")
        return self._portal

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.__exit__(kind, error, traceback)
        self._portal = None

    create = _blocking(Calls.create)
    submit = _blocking(Calls.submit)
    delete = _blocking(Calls.delete)
    erase = _blocking(Calls.erase)
    load = _blocking(Calls.load)
    undo = _blocking(Calls.undo)
    redo = _blocking(Calls.redo)
    rename = _blocking(Calls.rename)
    upgrade = _blocking(Calls.upgrade)
    relate = _blocking(Calls.relate)
    update_relationship = _blocking(Calls.update_relationship)
    unrelate = _blocking(Calls.unrelate)
    add_children = _blocking(Calls.add_children)
    remove_children = _blocking(Calls.remove_children)
    batch = _blocking(Calls.batch)
    cancel = _blocking(Calls.cancel)
    job = _blocking(Calls.job)
    wait = _blocking(Calls.wait)
    wait_for = _blocking(Calls.wait_for)
    resolve = _blocking(Calls.resolve)
    positions = _blocking(Calls.positions)
    get = _blocking(Calls.get)
    exists = _blocking(Calls.exists)
    get_many = _blocking(Calls.get_many)
    find = _blocking(Calls.find)
    branches = _blocking(Calls.branches)
    slugs = _blocking(Calls.slugs)
    resolve_slug = _blocking(Calls.resolve_slug)
    history = _blocking(Calls.history)
    relationships = _blocking(Calls.relationships)
    outgoing = _blocking(Calls.outgoing)
    incoming = _blocking(Calls.incoming)
    directed = _blocking(Calls.directed)
    undirected = _blocking(Calls.undirected)
    path = _blocking(Calls.path)
    ancestors = _blocking(Calls.ancestors)
    has_relationship = _blocking(Calls.has_relationship)
    relationship_types = _blocking(Calls.relationship_types)
    orphans = _blocking(Calls.orphans)
    children = _blocking(Calls.children)
    parents = _blocking(Calls.parents)
    verify = _blocking(Calls.verify)
    verify_partition = _blocking(Calls.verify_partition)
    make_keyframes = _blocking(Calls.make_keyframes)
    make_keyframes_of_partition = _blocking(Calls.make_keyframes_of_partition)
    rebuild = _blocking(Calls.rebuild)
    roll_back = _blocking(Calls.roll_back)
    finish = _blocking(Calls.finish)
    retire = _blocking(Calls.retire)
    revive = _blocking(Calls.revive)
    replay_partition = _blocking(Calls.replay_partition)
    quarantine = _blocking(Calls.quarantine)
    retry_quarantined = _blocking(Calls.retry_quarantined)
    clear_quarantined = _blocking(Calls.clear_quarantined)
    rows = _blocking(Calls.rows)
    read_models = _blocking(Calls.read_models)
    models = _blocking(Calls.models)
    health = _blocking(Calls.health)
    readiness = _blocking(Calls.readiness)
    metrics = _blocking(Calls.metrics)

    def events(self, **wanted: Unpack[Wanted]) -> SyncEvents:
        """Events as they happen: `with` it, then `for` each."""
        return SyncEvents(self.calls.events(**wanted), self.portal)


class SyncSession(SyncCalls):
    """As Session. Use it in `with`."""

    def __init__(self, session: Session, portal: BlockingPortal) -> None:
        super().__init__(session)
        self._session = session
        self._way_in = portal

    def __enter__(self) -> Self:
        self._portal = self._way_in
        self._resources.enter_context(self._portal.wrap_async_context_manager(self._session))
        return self

    @property
    def token(self) -> str:
        """As Session's."""
        return self._session.token

    def settled(self, *, timeout_ms: int = TIMEOUT_DEFAULT_MS) -> str:
        """As Session's."""
        return self.portal.call(partial(self._session.settled, timeout_ms=timeout_ms))


class SyncReactor(SyncCalls):
    """As Reactor. Use it in `with`; a thread of its own runs the loop."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retry_for_s: float = RETRY_FOR_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.reactor = Reactor(url, token=token, retry_for_s=retry_for_s, transport=transport)
        super().__init__(self.reactor)

    def __enter__(self) -> Self:
        self._portal = self._resources.enter_context(start_blocking_portal())
        self._resources.enter_context(self._portal.wrap_async_context_manager(self.reactor))
        return self

    def session(self, *, token: Tokens = None, wait: Until | None = "write") -> SyncSession:
        """As Reactor's. Use it in `with`."""
        return SyncSession(self.reactor.session(token=token, wait=wait), self.portal)
