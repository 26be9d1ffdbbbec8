"""What one stream shows after one operation."""

from __future__ import annotations

from typing import Any, NamedTuple

from docreactor.pipeline.header import NO_FACTS, Facts


class StreamState(NamedTuple):
    """A state that may be cached: nobody can change it.

    `label` is the index of the last operation contained, -1 before the first. `version` is the
    model's version that the state is of. `content` is the canonical JSON that `hash` is of.
    `facts` is what the stream says about the document's header.
    """

    label: int
    version: int
    state: Any
    content: bytes
    hash: str
    facts: Facts = NO_FACTS
