"""A connection to a deployment; over HTTP: bearer token, problems as errors, retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

import httpx
import orjson
import stamina
from pydantic import ValidationError

from docreactor.gateway.answers import Answer
from docreactor.gateway.refusal import error_of
from docreactor.gateway.stream import Stream
from docreactor.gateway.underway import Underway
from docreactor.pipeline.errors import (
    LogError,
    RestoringError,
    ServerUnreachableError,
    ShuttingDownError,
    TooBusyError,
)

_CONNECT_S = 5.0
_MARGIN_S = 10.0
_ATTEMPTS_MAX = 100
_CONNECTIONS_MAX = 1_000
_PROBLEM = "application/problem+json"
_WAITS_NOT = ("wait", "none")

_Read = TypeVar("_Read", bound=Answer)
Parameters = Mapping[str, str | int | Sequence[str] | None]


class Connection(Protocol):
    """What every call of the client goes through.

    `parameters` that have a `token`, even None, are those of a read that can wait for a write.
    """

    async def close(self) -> None:
        """End the calls under way with ClientClosed, and take no further one."""
        ...

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
        """The answer, or the error that the reply tells of."""
        ...

    async def text(self, path: str) -> str:
        """What a page that is no JSON holds."""
        ...

    async def stream(
        self, path: str, *, parameters: Parameters, headers: Mapping[str, str], silence_s: float
    ) -> Stream:
        """A reply without an end, which breaks when nothing comes for so long. It must be closed.

        What may pass is tried again before it begins.
        """
        ...


class HTTPConnection:
    """Asks, and asks again what is safe to repeat: every call is a read or carries a key."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None,
        retry_for_s: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.url = url.rstrip("/")
        self._underway = Underway(self.url)
        self._retrying = stamina.AsyncRetryingCaller(
            attempts=_ATTEMPTS_MAX if retry_for_s else 1, timeout=retry_for_s or None
        ).on(_wait_before_next)
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            limits=httpx.Limits(max_connections=_CONNECTIONS_MAX),
            transport=transport,
            trust_env=False,
        )

    async def close(self) -> None:
        """End the calls under way with ClientClosed, and let go of the connections."""
        await self._underway.close()
        await self._client.aclose()

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
        """The answer, or the error that the reply tells of.

        What may pass is tried again: no connection, 429, 503.
        """
        reply = await self._ask(method, path, parameters or {}, body, key)
        try:
            return kind.model_validate_json(reply.content)
        except ValidationError as cause:
            raise self._not_ours(reply) from cause

    async def text(self, path: str) -> str:
        """What a page that is no JSON holds."""
        reply = await self._ask("GET", path, {}, None, None)
        if not reply.is_success:
            raise self._not_ours(reply)
        return reply.text

    async def stream(
        self, path: str, *, parameters: Parameters, headers: Mapping[str, str], silence_s: float
    ) -> Stream:
        """As `Connection.stream`."""
        request = self._client.build_request(
            "GET",
            path,
            params={name: value for name, value in parameters.items() if value is not None},
            headers=dict(headers),
            timeout=httpx.Timeout(silence_s, connect=_CONNECT_S, pool=None),
        )
        async with self._underway.call():
            reply = await self._retrying(self._send, request, stream=True)
        if not reply.is_success:
            await reply.aclose()
            raise self._not_ours(reply)
        return Stream(reply, self.url, self._underway)

    async def _ask(
        self, method: str, path: str, parameters: Parameters, body: object, key: str | None
    ) -> httpx.Response:
        query = {
            name: value
            for name, value in parameters.items()
            if value is not None and (name, value) != _WAITS_NOT
        }
        headers = {} if key is None else {"idempotency-key": key}
        content = None
        if body is not None:
            content = orjson.dumps(body)
            headers["content-type"] = "application/json"
        waits_s = _waits_ms(parameters, body) / 1_000
        request = self._client.build_request(
            method,
            path,
            params=query,
            headers=headers,
            content=content,
            timeout=httpx.Timeout(waits_s + _MARGIN_S, connect=_CONNECT_S, pool=None),
        )
        async with self._underway.call():
            return await self._retrying(self._send, request)

    async def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        try:
            reply = await self._client.send(request, stream=stream)
            is_problem = reply.headers.get("content-type", "").startswith(_PROBLEM)
            if is_problem:
                await reply.aread()
        except httpx.TransportError as cause:
            raise ServerUnreachableError(self.url, _reason(cause)) from cause
        if is_problem:
            error = error_of(orjson.loads(reply.content))
            if "retry-after" in reply.headers:
                error.facts["retry_after_s"] = float(reply.headers["retry-after"])
            raise error
        return reply

    def _not_ours(self, reply: httpx.Response) -> ServerUnreachableError:
        status = f"it answered {reply.status_code}, and not as a reactor does"
        return ServerUnreachableError(self.url, status)


def _wait_before_next(error: Exception) -> bool | float:
    if isinstance(error, TooBusyError | RestoringError | ShuttingDownError | LogError):
        return float(error.facts.get("retry_after_s", 1.0))
    return isinstance(error, ServerUnreachableError)


def _reason(cause: httpx.TransportError) -> str:
    if isinstance(cause, httpx.TimeoutException):
        return "no answer in time"
    return str(cause) or type(cause).__name__


def _waits_ms(parameters: Parameters, body: object) -> int:
    """How long the server may take, as it was told: beside the body, or in it."""
    told = parameters.get("timeout_ms")
    if told is None and isinstance(body, Mapping):
        told = cast(Mapping[str, Any], body).get("timeout_ms")
    return int(str(told or 0))


def joined(values: Sequence[Any] | str | None) -> list[str] | None:
    """Several values of one parameter, one given alone among them; None for none."""
    if values is None or isinstance(values, str):
        return None if values is None else [values]
    return [str(value) for value in values] or None
