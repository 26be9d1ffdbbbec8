"""What a call is about, collected on its way for the line that the log keeps of it."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

_KEY = "docreactor.facts"


def begin_facts(scope: Scope, request_id: str) -> dict[str, Any]:
    """Start collecting for this call."""
    facts: dict[str, Any] = {"request_id": request_id}
    scope[_KEY] = facts
    return facts


def add_facts(scope: Scope, **facts: Any) -> None:
    """Say what the call is about: job, document, partition."""
    collected: dict[str, Any] | None = scope.get(_KEY)
    if collected is not None:
        collected.update(facts)


def request_id_of(scope: Scope) -> str:
    """The id under which the log knows this call."""
    collected: dict[str, Any] = scope.get(_KEY, {})
    return str(collected.get("request_id", ""))
