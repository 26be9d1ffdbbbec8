"""Single fields of a stored operation, read without decoding the whole.

Canonical JSON sorts its keys, so an operation begins with `action` and ends with the fields from
`hash` to `version`. Whatever looks different is decoded.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from docreactor.pipeline.operation import Operation
from docreactor.pipeline.order import Key, key_of

_ACTION_ID = b'{"action":{"context":null,"id":"'
_ACTION_ID_AT = len(_ACTION_ID)

_TIMESTAMP = b',"timestamp":"'
_TIMESTAMP_BYTES = len("2000-01-01T00:00:00.000000Z")
_VERSION = b'","version":'
_VERSION_BYTES_MAX = 24

_END_MAX = 300
_END = re.compile(
    rb',"hash":"([^"\\]*)","id":"[0-9a-f]*","index":\d+,"previous":(?:null|"[^"\\]*"),'
    rb'"skip":(\d+),"timestamp":"[^"\\]*","version":\d+}\Z'
)
_ORDINARY_MAX = 800
_ORDINARY = re.compile(
    rb'"type":"([^"\\]*)"},"document_type":"[^"\\]*","error":null,"hash":"[^"\\]*",'
    rb'"id":"[0-9a-f]*","index":\d+,"previous":(?:null|"[^"\\]*"),'
    rb'"skip":(\d+),"timestamp":"[^"\\]*","version":\d+}\Z'
)


def action_id(content: bytes) -> bytes:
    """The id of the action that was answered."""
    if content.startswith(_ACTION_ID):
        return content[_ACTION_ID_AT : content.index(b'"', _ACTION_ID_AT)]
    whole: str = _decode(content)["action"]["id"]
    return whole.encode()


def timestamp(content: bytes) -> bytes:
    """The operation's time, as text: such texts compare as their times do."""
    end = content.rfind(_VERSION, len(content) - _VERSION_BYTES_MAX)
    start = end - _TIMESTAMP_BYTES
    if content[start - len(_TIMESTAMP) : start] == _TIMESTAMP:
        return content[start:end]
    whole: str = _decode(content)["timestamp"]
    return whole.encode()


def skip(content: bytes) -> int:
    """How many indexes before it the operation supersedes."""
    if end := _END.search(content, max(0, len(content) - _END_MAX)):
        return int(end[2])
    whole: int = _decode(content)["skip"]
    return whole


def state_hash(content: bytes) -> str:
    """The hash of the state after the operation."""
    if end := _END.search(content, max(0, len(content) - _END_MAX)):
        return end[1].decode()
    whole: str = _decode(content)["hash"]
    return whole


class Standing(NamedTuple):
    """What decides whether an operation counts."""

    skip: int
    action_type: str
    has_error: bool


def standing(content: bytes) -> Standing:
    """What the operation is to those before it."""
    if end := _ORDINARY.search(content, max(0, len(content) - _ORDINARY_MAX)):
        return Standing(int(end[2]), end[1].decode(), has_error=False)
    whole = _decode(content)
    return Standing(whole["skip"], whole["action"]["type"], whole["error"] is not None)


def order_key(content: bytes) -> Key:
    """Where the operation stands in its stream's order."""
    return key_of(Operation.decode(content).action, timestamp(content).decode())


def _decode(content: bytes) -> Any:
    return orjson.loads(content)
