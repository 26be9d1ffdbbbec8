"""What one stream shows after one operation."""

from __future__ import annotations

from typing import Any, NamedTuple


class StreamState(NamedTuple):
    """A state that may be cached: nobody can change it.

    `label` is the index of the last operation contained, -1 before the first. `version` is the
    model's version in force there. `content` is the canonical JSON that `hash` is of.
    """

    label: int
    version: int
    state: Any
    content: bytes
    hash: str
