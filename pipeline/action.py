"""What is asked: one change of one scope of a document."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.wire import Wire

CREATE_DOCUMENT = "CREATE_DOCUMENT"
UPGRADE_DOCUMENT = "UPGRADE_DOCUMENT"
DELETE_DOCUMENT = "DELETE_DOCUMENT"
ADD_RELATIONSHIP = "ADD_RELATIONSHIP"
REMOVE_RELATIONSHIP = "REMOVE_RELATIONSHIP"
UPDATE_RELATIONSHIP = "UPDATE_RELATIONSHIP"

SET_NAME = "SET_NAME"
SET_SLUG = "SET_SLUG"
SET_META = "SET_META"
LOAD_STATE = "LOAD_STATE"
NOOP = "NOOP"
UNDO = "UNDO"
REDO = "REDO"
PRUNE = "PRUNE"

DOCUMENT_SCOPE = "document"
RELATIONSHIP_ACTIONS = frozenset({ADD_RELATIONSHIP, REMOVE_RELATIONSHIP, UPDATE_RELATIONSHIP})
SYSTEM_ACTIONS = frozenset(
    {CREATE_DOCUMENT, UPGRADE_DOCUMENT, DELETE_DOCUMENT, *RELATIONSHIP_ACTIONS}
)
"""Those of scope `document` alone."""

HEADER_ACTIONS = frozenset({SET_NAME, SET_SLUG, SET_META})
"""Those that change the header, in any scope; a model's own of the same type goes before."""

MARKERS = frozenset({UNDO, REDO})
"""Those that say which operations of their stream count."""


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
