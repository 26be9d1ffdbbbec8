"""One HTTP connection to a deployment: bearer token, problems as errors, retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import httpx
import orjson
import stamina
from pydantic import ValidationError

from docreactor.gateway.answers import Answer
from docreactor.gateway.refusal import error_of
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

_Read = TypeVar("_Read", bound=Answer)
Parameters = Mapping[str, str | int | Sequence[str] | None]


class Connection:
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
        """Let go of the connections."""
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
        query = {name: value for name, value in (parameters or {}).items() if value is not None}
        waits_s = int(str(query.get("timeout_ms", 0))) / 1_000
        headers = {} if key is None else {"idempotency-key": key}
        content = None
        if body is not None:
            content = orjson.dumps(body)
            headers["content-type"] = "application/json"
        request = self._client.build_request(
            method,
            path,
            params=query,
            headers=headers,
            content=content,
            timeout=httpx.Timeout(waits_s + _MARGIN_S, connect=_CONNECT_S, pool=None),
        )
        return self._read(kind, await self._retrying(self._send, request))

    async def _send(self, request: httpx.Request) -> httpx.Response:
        try:
            reply = await self._client.send(request)
        except httpx.TransportError as cause:
            raise ServerUnreachableError(self.url, _reason(cause)) from cause
        if reply.headers.get("content-type", "").startswith(_PROBLEM):
            error = error_of(orjson.loads(reply.content))
            if "retry-after" in reply.headers:
                error.facts["retry_after_s"] = float(reply.headers["retry-after"])
            raise error
        return reply

    def _read(self, kind: type[_Read], reply: httpx.Response) -> _Read:
        try:
            return kind.model_validate_json(reply.content)
        except ValidationError as cause:
            status = f"it answered {reply.status_code}, and not as a reactor does"
            raise ServerUnreachableError(self.url, status) from cause


def _wait_before_next(error: Exception) -> bool | float:
    if isinstance(error, TooBusyError | RestoringError | ShuttingDownError | LogError):
        return float(error.facts.get("retry_after_s", 1.0))
    return isinstance(error, ServerUnreachableError)


def _reason(cause: httpx.TransportError) -> str:
    if isinstance(cause, httpx.TimeoutException):
        return "no answer in time"
    return str(cause) or type(cause).__name__


def joined(values: Sequence[Any] | str | None) -> list[str] | None:
    """Several values of one parameter, one given alone among them; None for none."""
    if values is None or isinstance(values, str):
        return None if values is None else [values]
    return [str(value) for value in values] or None
