"""What a reducer may know besides state and input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Origin:
    """The part of a document's header that its creation fixed: the same at every replay."""

    id: str
    document_type: str
    branch: str
    created_at: str


class Context(NamedTuple):
    """The action's own time, id and signer, and the origin of its document."""

    timestamp: str
    id: str
    signer: Mapping[str, Any] | None
    header: Origin
