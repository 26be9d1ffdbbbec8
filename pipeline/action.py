"""What is asked: one change of one scope of a document."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.wire import Wire

CREATE_DOCUMENT = "CREATE_DOCUMENT"
UPGRADE_DOCUMENT = "UPGRADE_DOCUMENT"
DELETE_DOCUMENT = "DELETE_DOCUMENT"

DOCUMENT_SCOPE = "document"
SYSTEM_ACTIONS = frozenset({CREATE_DOCUMENT, UPGRADE_DOCUMENT, DELETE_DOCUMENT})


class Action(Wire, frozen=True, gc=False, omit_defaults=True):
    """One change that somebody asks for.

    `timestamp` is UTC with six fractional digits, or None until the reducer stamps it.
    """

    id: str
    type: str
    scope: str
    timestamp: str | None = None
    input: Any = None
    context: dict[str, Any] | None = None

    @property
    def size(self) -> int:
        """Bytes of its canonical JSON."""
        return len(encode(self.json))
