"""Stores of a deployment under test, some of which take no rows until they are let."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import AnyRow


class Holding:
    """Opens stores in memory, each name anew; `held` may be changed at any time."""

    def __init__(self, *held: str) -> None:
        self.held = set(held)

    def open(self, name: str) -> HeldStore:
        """The store of this name."""
        return HeldStore(self, name)


class HeldStore(MemoryStore):
    """A store that refuses to move on while its name is held."""

    def __init__(self, holding: Holding, name: str) -> None:
        super().__init__()
        self._holding = holding
        self._name = name

    def write(
        self,
        rows: Sequence[AnyRow],
        positions: Mapping[str, Offset],
        *,
        now_ms: int,
        is_logged: bool = True,
    ) -> None:
        """As any store, or the failure of a disk."""
        if positions and self._name in self._holding.held:
            raise OSError(f"{self._name} is held")
        super().write(rows, positions, now_ms=now_ms, is_logged=is_logged)
