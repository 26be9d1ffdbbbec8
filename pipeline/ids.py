"""Which names are allowed, and how new ones are minted."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from docreactor.pipeline.errors import InvalidInputError

_ID = re.compile(r"[A-Za-z0-9._~+=@-]{1,200}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9._~+=@-]{1,64}", re.ASCII)

_COUNTER_BITS = 42
_RANDOM_BITS = 32


def check_id(value: str, *, field: str) -> str:
    """Return a document or action id as it is; InvalidInput when no topic key could carry it."""
    if not _ID.fullmatch(value) or value in (".", ".."):
        raise InvalidInputError(field, "must match [A-Za-z0-9._~+=@-]{1,200} and not be . or ..")
    return value


def check_name(value: str, *, field: str) -> str:
    """Return a scope, branch, relationship type or remote name as it is, or InvalidInput."""
    if not _is_name(value):
        raise InvalidInputError(field, "must match [A-Za-z0-9._~+=@-]{1,64}")
    return value


@lru_cache(maxsize=4_096)
def _is_name(value: str) -> bool:
    return _NAME.fullmatch(value) is not None


def operation_id(document_id: str, scope: str, branch: str, action_id: str) -> str:
    """The same on every replica: 32 hex digits derived from where and what."""
    text = f"{document_id}:{scope}:{branch}:{action_id}"
    return sha256(text.encode()).hexdigest()[:32]


class IdMinter:
    """Mints UUIDv7 (RFC 9562, 6.2 method 1) that only ever grow within this minter."""

    def __init__(self, now_ms: Callable[[], int], random_bits: Callable[[int], int]) -> None:
        self._now_ms = now_ms
        self._random_bits = random_bits
        self._last_ms = 0
        self._counter = 0

    def mint(self) -> str:
        """A new id, greater than every one before, also when the clock stands or goes back."""
        now_ms = self._now_ms()
        if now_ms > self._last_ms:
            self._last_ms = now_ms
            self._counter = self._random_bits(_COUNTER_BITS - 1)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._last_ms += 1
                self._counter = 0
        high, low = self._counter >> 30, self._counter & ((1 << 30) - 1)
        value = self._last_ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62
        value |= low << _RANDOM_BITS | self._random_bits(_RANDOM_BITS)
        return str(UUID(int=value))
