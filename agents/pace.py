"""How many changes a read model is given at once."""

from __future__ import annotations

CHANGES_MAX = 200
_LONG_S = 0.02


class Pace:
    """Fewer where they take long, so that others get a turn; many where they are quick."""

    def __init__(self) -> None:
        self.count_max = CHANGES_MAX

    def took(self, seconds: float) -> None:
        """Learn from how long some took."""
        if seconds > _LONG_S:
            self.count_max = max(1, self.count_max // 2)
        elif seconds < _LONG_S / 4:
            self.count_max = min(CHANGES_MAX, self.count_max * 2)
