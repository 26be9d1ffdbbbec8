"""Ids that a repeated request derives anew: the same key on the same document, the same ids."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from docreactor.pipeline.errors import InvalidInputError

HEADER = "Idempotency-Key"
_KEY_CHARACTERS_MAX = 255

Mint = Callable[[], str]


def check_key(key: str | None) -> str | None:
    """The key as it is, or InvalidInput."""
    if key is not None and not 0 < len(key) <= _KEY_CHARACTERS_MAX:
        raise InvalidInputError(HEADER, f"must have 1 to {_KEY_CHARACTERS_MAX} characters")
    return key


class ActionIds:
    """The ids of one request's actions. Without a key each is a new one."""

    def __init__(self, key: str | None, document_id: str, mint: Mint) -> None:
        self._seed = None if key is None else f"{document_id}/{key}"
        self._mint = mint

    def at(self, place: str) -> str:
        """The id of the action at this place of the request."""
        return self._mint() if self._seed is None else _derived(f"{self._seed}/{place}")


def document_id_for(key: str | None, mint: Mint) -> str:
    """The id of a document that was created without one."""
    return mint() if key is None else _derived(f"document/{key}")


def _derived(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]
