"""The order of a stream: the same on every replica that knows the same actions."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from docreactor.pipeline.action import CREATE_DOCUMENT, DOCUMENT_SCOPE, UPGRADE_DOCUMENT

LATER = 9
"""The rank of whatever does not create a document."""


class Key(NamedTuple):
    """Where an action stands in its stream's effective history, which ascends by it.

    `rank` keeps creation at the head whatever its time. Times are in the form of
    `timestamp.render`, so that they compare as texts; ids compare by code point.
    """

    rank: int
    timestamp: str
    action_id: str


def key_of(action: Any, timestamp: str) -> Key:
    """The key of an Action or a StoredAction that has this time."""
    return Key(rank(action.scope, action.type, action.input), timestamp, action.id)


def rank(scope: str, action_type: str, input: object) -> int:
    """0 for a creation, 1 for the upgrade that gives a new document its version, 9 for the rest."""
    if scope != DOCUMENT_SCOPE:
        return LATER
    if action_type == CREATE_DOCUMENT:
        return 0
    if action_type == UPGRADE_DOCUMENT and isinstance(input, dict):
        begins = cast(dict[str, Any], input).get("from_version") == 0
        return 1 if begins else LATER
    return LATER
