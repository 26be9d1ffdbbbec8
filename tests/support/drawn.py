"""Actions on a document of words, drawn by chance."""

from __future__ import annotations

import random
from typing import Any

from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.keys import Stream

WORDS = ("ash", "bay", "cup")


def draw(chance: random.Random, stream: Stream, action_id: str, timestamp: str | None) -> Action:
    """One that the stream's scope takes, whatever its document is at the time."""
    model = {"model": "test/words", "document_id": stream.document_id}
    word = {"word": chance.choice(WORDS)}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("ADD", word),
        ("ADD", word),
        ("DROP", word),
        ("SET_NAME", {"name": action_id}),
        ("UNDO", {}),
        ("UNDO", {}),
        ("REDO", {}),
    ]
    if stream.scope == DOCUMENT_SCOPE:
        kinds = [
            ("SET_NAME", {"name": action_id}),
            ("UPGRADE_DOCUMENT", {**model, "from_version": 1, "to_version": 2}),
            ("DELETE_DOCUMENT", {"document_id": stream.document_id}),
            ("UNDO", {}),
            ("NOOP", {}),
        ]
    kind, given = chance.choice(kinds)
    return Action(action_id, kind, stream.scope, timestamp, given)
