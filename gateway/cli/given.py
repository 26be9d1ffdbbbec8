"""JSON that a command is given: inline, in a file, or on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from docreactor.pipeline.errors import InvalidInputError


def given_json(text: str, *, name: str) -> Any:
    """The value of `{"a": 1}`, `@file.json` or `-`; InvalidInput says where it is wrong.

    Whatever is wrong is found before anything is sent.
    """
    try:
        return orjson.loads(_content(text, name=name))
    except orjson.JSONDecodeError as cause:
        raise InvalidInputError(name, f"is not JSON: {cause}; nothing was sent") from cause


def given_object(text: str | None, *, name: str) -> dict[str, Any] | None:
    """As `given_json`, for an object; None for nothing."""
    if text is None:
        return None
    value = given_json(text, name=name)
    if not isinstance(value, dict):
        raise InvalidInputError(name, "must be a JSON object; nothing was sent")
    return value  # pyright: ignore[reportUnknownVariableType] JSON


def objects(value: Any, *, name: str, what: str) -> list[dict[str, Any]]:
    """The value as a list of objects, one alone as a list of one; or InvalidInput."""
    if isinstance(value, dict):
        value = [value]  # pyright: ignore[reportUnknownVariableType] JSON
    if not isinstance(value, list):
        value = [None]
    listed: list[Any] = value  # pyright: ignore[reportUnknownVariableType] JSON
    if not all(isinstance(one, dict) for one in listed):
        raise InvalidInputError(name, f"must be a list of {what}; nothing was sent")
    return listed


def _content(text: str, *, name: str) -> bytes:
    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as cause:
        reason = f"cannot read {text[1:]}: {cause.strerror}; nothing was sent"
        raise InvalidInputError(name, reason) from cause
