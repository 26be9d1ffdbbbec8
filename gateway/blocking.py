"""The Python client for programs without async: the same calls, each of which blocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from docreactor.gateway.client import DEFAULT_URL, RETRY_FOR_S, Reactor

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")


def _blocking(
    call: Callable[Concatenate[Reactor, _Given], Awaitable[_Answer]],
) -> Callable[Concatenate[SyncReactor, _Given], _Answer]:
    def blocking(self: SyncReactor, /, *given: _Given.args, **named: _Given.kwargs) -> _Answer:
        return self.portal.call(partial(call, self.reactor, *given, **named))

    blocking.__doc__ = call.__doc__
    return blocking


class SyncReactor:
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
        self._portal: BlockingPortal | None = None
        self._resources = ExitStack()

    @property
    def portal(self) -> BlockingPortal:
        """The way into the loop. RuntimeError outside of `with`."""
        if self._portal is None:
            raise RuntimeError("use SyncReactor in a with statement")
        return self._portal

    def __enter__(self) -> Self:
        self._portal = self._resources.enter_context(start_blocking_portal())
        self._resources.enter_context(self._portal.wrap_async_context_manager(self.reactor))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.__exit__(kind, error, traceback)
        self._portal = None

    create = _blocking(Reactor.create)
    submit = _blocking(Reactor.submit)
    delete = _blocking(Reactor.delete)
    erase = _blocking(Reactor.erase)
    load = _blocking(Reactor.load)
    undo = _blocking(Reactor.undo)
    redo = _blocking(Reactor.redo)
    rename = _blocking(Reactor.rename)
    upgrade = _blocking(Reactor.upgrade)
    relate = _blocking(Reactor.relate)
    update_relationship = _blocking(Reactor.update_relationship)
    unrelate = _blocking(Reactor.unrelate)
    add_children = _blocking(Reactor.add_children)
    remove_children = _blocking(Reactor.remove_children)
    batch = _blocking(Reactor.batch)
    cancel = _blocking(Reactor.cancel)
    job = _blocking(Reactor.job)
    wait = _blocking(Reactor.wait)
    get = _blocking(Reactor.get)
    find = _blocking(Reactor.find)
    history = _blocking(Reactor.history)
    verify = _blocking(Reactor.verify)
    verify_partition = _blocking(Reactor.verify_partition)
    make_keyframes = _blocking(Reactor.make_keyframes)
    make_keyframes_of_partition = _blocking(Reactor.make_keyframes_of_partition)
    positions = _blocking(Reactor.positions)
    models = _blocking(Reactor.models)
