"""A session of the Python client: its reads show what it wrote, whichever node answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from docreactor.gateway.answers import Answer, Batch, Deletion, Job, Visible
from docreactor.gateway.calls import Calls
from docreactor.gateway.changes import Until, segment
from docreactor.gateway.connection import Connection, Parameters, joined
from docreactor.gateway.reading import Tokens
from docreactor.gateway.requests import TIMEOUT_DEFAULT_MS
from docreactor.gateway.stream import Stream
from docreactor.gateway.together import together
from docreactor.gateway.underway import Underway
from docreactor.gateway.waiting import CoordinateLike
from docreactor.pipeline.errors import (
    JobNotFoundError,
    ReactorError,
    TokenOfAnotherLogError,
)
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.position import Position

_PENDING_MAX = 1_000
_ASKED_AT_ONCE = 50

_Read = TypeVar("_Read", bound=Answer)


class Remembering:
    """A connection that knows how far its writes are, and lets its reads ask for that much."""

    def __init__(
        self, connection: Connection, url: str, *, token: Tokens, wait: Until | None
    ) -> None:
        self._connection = connection
        self._underway = Underway(url)
        self._wait: Until | None = wait
        self._position: Position | None = None
        # Jobs that were not seen written yet, in the order of their submission.
        self._pending: dict[str, None] = {}
        self.learn(joined(token) or [])

    @property
    def token(self) -> str:
        """What is known to be written; empty before that is anything."""
        return "" if self._position is None else self._position.token

    async def close(self) -> None:
        """End the calls under way with ClientClosed; the connection below stays."""
        await self._underway.close()

    async def call(
        self,
        kind: type[_Read],
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: object = None,
        key: str | None = None,
    ) -> _Read:
        """As below, at least as new as what was written before; JobNotReady if that takes long."""
        given = dict(parameters or {})
        async with self._underway.call():
            if method != "GET" and "wait" in given:
                given["wait"] = given["wait"] or self._wait
                await self._make_room(_ms(given))
            tokens: list[str] = []
            if "token" in given:
                given["timeout_ms"] = await self.settle(_ms(given))
                tokens = joined(_several(given["token"])) or []
                given["token"] = joined(self.with_own(tokens))
            try:
                answer = await self._connection.call(
                    kind, method, path, parameters=given, body=body, key=key
                )
            except ReactorError as error:
                self._take(method, *_told_by(error))
                raise
        # What a read has shown is shown to every later one.
        self.learn(tokens)
        self._take(method, *_told(answer))
        return answer

    async def text(self, path: str) -> str:
        """As below."""
        async with self._underway.call():
            return await self._connection.text(path)

    async def stream(
        self, path: str, *, parameters: Parameters, headers: Mapping[str, str], silence_s: float
    ) -> Stream:
        """As below; closing the client ends what is read of it, not closing the session."""
        async with self._underway.call():
            return await self._connection.stream(
                path, parameters=parameters, headers=headers, silence_s=silence_s
            )

    def with_own(self, tokens: Sequence[str]) -> list[str]:
        """These and what is known here, as one. TokenOfAnotherLog, or InvalidToken."""
        position = self._merged(tokens)
        return [] if position is None else [position.token]

    def learn(self, tokens: Iterable[str]) -> None:
        """Let every later read ask for these too. TokenOfAnotherLog, or InvalidToken."""
        self._position = self._merged(tokens)

    async def settle(self, timeout_ms: int) -> int:
        """Wait until every job that was submitted here is written; what is left of the time."""
        ends_at = asyncio.get_running_loop().time() + timeout_ms / 1_000
        pending = list(self._pending)
        for first in range(0, len(pending), _ASKED_AT_ONCE):
            at_once = pending[first : first + _ASKED_AT_ONCE]
            await together([self._written(job_id, _left_ms(ends_at)) for job_id in at_once])
        return _left_ms(ends_at) if pending else timeout_ms

    async def _written(self, job_id: str, timeout_ms: int) -> None:
        try:
            job = await self._connection.call(
                Job,
                "GET",
                f"/v1/jobs/{segment(job_id)}",
                parameters={"wait": "write", "timeout_ms": timeout_ms},
            )
        except JobNotFoundError:
            # Only what ended long ago is forgotten, and every table has passed it.
            self._pending.pop(job_id, None)
        else:
            self._learn_of(job)

    async def _make_room(self, timeout_ms: int) -> None:
        if len(self._pending) >= _PENDING_MAX:
            await self.settle(timeout_ms)

    def _take(self, method: str, jobs: Sequence[Job], enqueued: Iterable[str]) -> None:
        """What became of jobs, and which others were enqueued with them.

        Those that were only asked about may be anybody's: no read waits for them.
        """
        if method != "GET":
            self._pending |= dict.fromkeys((*enqueued, *(job.id for job in jobs)))
        for job in jobs:
            self._learn_of(job)

    def _learn_of(self, job: Job) -> None:
        if job.token:
            # The change is made. The next read is told that its token is of another log.
            with suppress(TokenOfAnotherLogError):
                self.learn([job.token])
        if job.token or job.status is JobStatus.FAILED:
            self._pending.pop(job.id, None)

    def _merged(self, tokens: Iterable[str]) -> Position | None:
        position = self._position
        for token in tokens:
            if token:
                found = Position.parse(token, log_id=token.partition(".")[0])
                position = found if position is None else position.merge(found)
        return position


class Session(Calls):
    """The calls of a reactor, each of which shows what the ones before it wrote.

    A change waits until it is written, unless told otherwise; with `wait="none"` the next read
    does. Everything that takes a token has the session's. Several tasks may share one session.
    Use it in `async with`; the reactor outlives it.
    """

    def __init__(
        self, connection: Connection, url: str, *, token: Tokens, wait: Until | None
    ) -> None:
        self._remembering = Remembering(connection, url, token=token, wait=wait)
        super().__init__(self._remembering)

    @property
    def token(self) -> str:
        """What it is known to have written or seen; another session may begin with it.

        Jobs that nobody has waited for are not in it: `settled` waits for them. It is empty while
        there is nothing.
        """
        return self._remembering.token

    async def settled(self, *, timeout_ms: int = TIMEOUT_DEFAULT_MS) -> str:
        """The token of all that was submitted, once it is written; JobNotReady if that is late."""
        await self._remembering.settle(timeout_ms)
        return self.token

    def _learn(self, token: str) -> None:
        """Later reads show what an event told of."""
        self._remembering.learn([token])

    async def wait_for(
        self,
        token: Tokens = None,
        *,
        coordinates: CoordinateLike | Sequence[CoordinateLike] = (),
        model: str | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
    ) -> Visible:
        """As a reactor's, for all that the session wrote too."""
        left_ms = await self._remembering.settle(timeout_ms)
        wanted = self._remembering.with_own(joined(token) or [])
        shown = await super().wait_for(
            wanted, coordinates=coordinates, model=model, timeout_ms=left_ms
        )
        self._remembering.learn([shown.token])
        return shown

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._remembering.close()


def _told(answer: Answer) -> tuple[list[Job], list[str]]:
    """The jobs of an answer, and the ids of those that were only enqueued with them."""
    if isinstance(answer, Batch):
        return list(answer.jobs.values()), []
    if isinstance(answer, Deletion) and not answer.token:
        return [answer], answer.jobs
    return [answer] if isinstance(answer, Job) else [], []


def _told_by(error: ReactorError) -> tuple[list[Job], list[str]]:
    """As `_told`, of jobs that failed or took too long."""
    several: Mapping[str, Any] | None = error.facts.get("jobs")
    one: Mapping[str, Any] | None = error.facts.get("job")
    told = [one] if several is None else several.values()
    jobs = [Job.model_validate(job) for job in told if job is not None]
    return jobs, error.facts.get("others", [])


def _several(value: str | int | Sequence[str] | None) -> str | Sequence[str] | None:
    return str(value) if isinstance(value, int) else value


def _ms(parameters: Mapping[str, object]) -> int:
    return int(str(parameters.get("timeout_ms", TIMEOUT_DEFAULT_MS)))


def _left_ms(ends_at: float) -> int:
    return max(0, int((ends_at - asyncio.get_running_loop().time()) * 1_000))
