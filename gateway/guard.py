"""The door of every call: who may come in, and what the log says of it afterwards."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any

import structlog
from pydantic import SecretStr
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docreactor.gateway.facts import begin_facts
from docreactor.gateway.figures import Figures
from docreactor.gateway.reply import refuse
from docreactor.pipeline.errors import TokenRequiredError, UnauthorizedError, UnexpectedError
from docreactor.pipeline.settings import Settings

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
REQUEST_ID_HEADER = b"x-request-id"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._~+=@-]{1,200}")
_GONE = 499
_log = structlog.get_logger("docreactor.http")


def check_exposure(settings: Settings) -> None:
    """TokenRequired when HTTP would listen beyond this machine without a token."""
    if settings.http_token is None and not _is_loopback(settings.host):
        raise TokenRequiredError(settings.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """Checks the bearer token, names the call, logs it, and lets no traceback out."""

    def __init__(
        self, app: ASGIApp, *, token: SecretStr | None, mint: Callable[[], str], figures: Figures
    ) -> None:
        self._app = app
        self._figures = figures
        self._wanted = None if token is None else f"Bearer {token.get_secret_value()}".encode()
        self._mint = mint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers = dict(scope["headers"])
        request_id = headers.get(REQUEST_ID_HEADER, b"")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = self._mint().encode()
        facts = begin_facts(scope, request_id.decode())
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID_HEADER, request_id)]
            await send(message)

        try:
            if self._may_enter(scope, headers):
                await self._app(scope, receive, answer)
            else:
                facts["error"] = UnauthorizedError.name()
                await refuse(UnauthorizedError())(scope, receive, answer)
        except ClientDisconnect:
            status = _GONE
        except Exception:
            _log.exception("unforeseen", **_about(scope), **facts)
            facts["error"] = UnexpectedError.name()
            if status:
                raise
            await refuse(UnexpectedError(request_id.decode()))(scope, receive, answer)
        self._tell(scope, status, perf_counter() - started, facts)

    def _may_enter(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        if self._wanted is None or scope["path"] in OPEN_PATHS:
            return True
        return hmac.compare_digest(headers.get(b"authorization", b""), self._wanted)

    def _tell(self, scope: Scope, status: int, seconds: float, facts: dict[str, Any]) -> None:
        route = scope.get("route")
        self._figures.called(scope["method"], getattr(route, "path", None), status, seconds)
        if "error" in facts:
            self._figures.refused(facts["error"])
        if status >= 500:
            write = _log.warning
        elif status >= 400 or scope["method"] != "GET":
            write = _log.info
        else:
            write = _log.debug
        write("call", **_about(scope), status=status, ms=round(seconds * 1_000, 2), **facts)


def _about(scope: Scope) -> dict[str, Any]:
    return {"method": scope["method"], "path": scope["path"]}
