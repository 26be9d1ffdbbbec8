"""Runs what the author of a read model wrote, and tells who is to blame for what it raises."""

from __future__ import annotations

import asyncio
import errno
import inspect
import os
import traceback
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, cast

import structlog

from docreactor.agents.pause import LeftError
from docreactor.pipeline.bound import Bound, DeadlinePassed
from docreactor.pipeline.errors import (
    LogError,
    ReadModelFailedError,
    StoreClosedError,
    StoreFailedError,
    UnknownModelError,
)
from docreactor.pipeline.read_model import Change, Effect, ReadModel, Writer
from docreactor.pipeline.reduce import sentence

_log = structlog.get_logger(__name__)

OF_THE_PLACE = (
    OSError,
    LogError,
    StoreClosedError,
    StoreFailedError,
    UnknownModelError,
    LeftError,
)
"""What says nothing about the document: a disk, a network, a model that is not loaded yet."""


class AuthorCode:
    """One read model's. A stretch of Python that does not wait ends after the bound.

    ReadModelFailed for what the document, or the code, is to blame for; all else of the place.
    """

    def __init__(self, model: ReadModel, bound: Bound) -> None:
        self._model = model
        self._bound = bound
        self._file = inspect.getsourcefile(type(model))

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        """As `ReadModel.apply`; a failure is told of the last change."""
        await self._run(partial(self._model.apply, batch, writer), batch[-1])

    async def forget(self, change: Change, writer: Writer) -> None:
        """As `ReadModel.forget`, of the change's document."""
        await self._run(partial(self._model.forget, change.document_id, writer), change)

    async def act(self, effects: Sequence[Effect]) -> None:
        """Run effects in order; what one raises is told, and the next follows."""
        for effect in effects:
            try:
                with self._bound.deadline:
                    result = effect()
                if inspect.isawaitable(result):
                    async with asyncio.timeout(self._bound.timeout_ms / 1_000 or None):
                        await result
            except (DeadlinePassed, Exception) as error:  # noqa: BLE001  an author's own affair
                told = sentence(error)
                _log.warning("an effect failed", model=self._model.name, error=told)

    async def _run(self, work: Callable[[], Awaitable[None] | None], change: Change) -> None:
        try:
            with self._bound.deadline:
                waiting = work()
            if waiting is not None:
                await _Bounded(waiting, self._bound.deadline)
        except OF_THE_PLACE:
            raise
        except MemoryError as cause:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)) from cause
        except DeadlinePassed as cause:
            reason = f"it ran over {self._bound.timeout_ms} ms"
            raise self._failed(change, reason, cause) from None
        except asyncio.CancelledError as cause:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            raise self._failed(change, "it cancelled itself", cause) from cause
        except (Exception, SystemExit) as cause:
            for leaf in _leaves(cause):
                if isinstance(leaf, OF_THE_PLACE):
                    raise leaf from cause
            raise self._failed(change, sentence(cause), cause) from cause

    def _failed(self, change: Change, reason: str, cause: BaseException) -> ReadModelFailedError:
        facts: dict[str, Any] = {"offset": change.offset}
        if change.operation is not None:
            facts |= {"scope": change.scope, "branch": change.branch}
            facts |= {"index": change.operation.index}
        leaves = list(_leaves(cause))
        if leaves != [cause]:
            facts["causes"] = [sentence(leaf) for leaf in leaves]
        where = self._where(cause)
        cause_told = f"{reason} ({where})" if where else reason
        return ReadModelFailedError(self._model.name, change.document_id, cause_told, **facts)

    def _where(self, cause: BaseException) -> str:
        """The innermost line of the author's own file, as far as there is one."""
        for frame in reversed(traceback.extract_tb(cause.__traceback__)):
            if frame.filename == self._file:
                return f"{Path(frame.filename).name}, line {frame.lineno}"
        return ""


class _Bounded:
    """An awaitable each of whose steps is within the deadline; waiting counts for nothing."""

    def __init__(self, work: Awaitable[None], deadline: AbstractContextManager[object]) -> None:
        self._work = work
        self._deadline = deadline

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._work.__await__()
        go_on: Callable[[], Any] = partial(next, steps)
        while True:
            try:
                with self._deadline:
                    waiting = go_on()
            except StopIteration:
                return
            try:
                told = yield waiting
            except BaseException as error:  # noqa: BLE001  it is for the one who waits
                go_on = partial(steps.throw, error)
            else:
                go_on = partial(steps.send, told)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group holds, however deep; an error by itself is one."""
    if isinstance(error, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _leaves(inner)
    else:
        yield error
