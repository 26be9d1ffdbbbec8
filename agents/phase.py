"""Where an assigned partition stands.

ASSIGNED ─▶ FENCING ─▶ LOCATING ─▶ OPENING ─▶ RESTORING ─▶ RUNNING ─▶ CLOSING ─▶ CLOSED
    └──────────┴───────────┴──────────┴───────────┴───────────────────────┘
                      (a revocation or a failure, from anywhere)
"""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """One assignment's life. It only ever moves down this list; a new assignment is a new life."""

    ASSIGNED = 0
    FENCING = 1
    LOCATING = 2
    OPENING = 3
    RESTORING = 4
    RUNNING = 5
    CLOSING = 6
    CLOSED = 7

    def to(self, following: Phase) -> Phase:
        """The next phase, when the list allows it. ValueError otherwise: a programming error."""
        if following in _MOVES[self]:
            return following
        raise ValueError(f"a partition cannot go from {self.name} to {following.name}")


_MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.ASSIGNED: frozenset({Phase.FENCING, Phase.CLOSING}),
    Phase.FENCING: frozenset({Phase.LOCATING, Phase.CLOSING}),
    Phase.LOCATING: frozenset({Phase.OPENING, Phase.CLOSING}),
    Phase.OPENING: frozenset({Phase.RESTORING, Phase.CLOSING}),
    Phase.RESTORING: frozenset({Phase.RUNNING, Phase.CLOSING}),
    Phase.RUNNING: frozenset({Phase.CLOSING}),
    Phase.CLOSING: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
}
