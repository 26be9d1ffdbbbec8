"""The one byte form of a JSON value, and the hash of it."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson

JSON = Any
"""A JSON value: None, bool, int of 64 bits, finite float, str, list, or dict with str keys."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
LEVELS_MAX = 120
"""How deep an action may nest its input: more than any state, and fit to be kept in a record."""

_ORJSON_LEVELS = 254
_SHORT_BYTES = 4_096
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encode(value: JSON, default: Callable[[Any], Any] | None = None) -> bytes:
    """UTF-8, keys sorted by code point, no white space.

    Raises TypeError for what JSON cannot say (integers over 64 bits and lone surrogates too), but
    for NaN and the infinities: they become null, so whoever takes a float refuses them first.
    """
    return orjson.dumps(value, default, _OPTIONS)


def encode_within(
    levels_max: int, value: JSON, default: Callable[[Any], Any] | None = None
) -> bytes:
    """As `encode`; TypeError also for what is nested over so many levels."""
    content = encode(value, default)
    # Few values hold so many objects and arrays that they may be nested that deep.
    if may_be_nested(content, levels_max):
        for _ in range(_ORJSON_LEVELS - levels_max):
            value = [value]
        try:
            encode(value, default)
        except TypeError as cause:
            raise TypeError(f"nested over {levels_max} levels: make it flatter") from cause
    return content


def may_be_nested(content: bytes, levels_max: int) -> bool:
    """False for JSON that cannot be nested over so many levels."""
    if len(content) < _SHORT_BYTES:
        return content.count(b"{") + content.count(b"[") > levels_max
    return _has_more(content, b"{", levels_max) or _has_more(content, b"[", levels_max)


def _has_more(content: bytes, sign: bytes, count: int) -> bool:
    """Whether the sign occurs more often than half of `count`; long stretches cost little."""
    at = -1
    for _ in range(count // 2 + 1):
        at = content.find(sign, at + 1)
        if at < 0:
            return False
    return True


def decode(content: bytes) -> JSON:
    """The value behind the bytes. Raises ValueError when they are not JSON."""
    return orjson.loads(content)


def digest(content: bytes) -> str:
    """SHA-256 of the bytes in base64url without padding, 43 characters."""
    # base64.urlsafe_b64encode, without its detours: this runs three times an action.
    return b2a_base64(sha256(content).digest()).translate(_URL_SAFE, b"=\n").decode()
