"""How a refusal is told: a problem document of RFC 9457."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.errors import ReactorError

TYPE_PREFIX = "urn:docreactor:problem/"


def problem(error: ReactorError) -> dict[str, Any]:
    """The error's name ends the `type`; its facts are fields of their own."""
    facts = {name: value for name, value in error.facts.items() if value is not None}
    return facts | {
        "type": TYPE_PREFIX + error.name(),
        "title": error.name(),
        "status": error.status,
        "detail": error.message,
    }


def problem_name(document: dict[str, Any]) -> str:
    """The name of the error that a problem document tells of."""
    return str(document["type"]).rpartition("/")[2]
