"""What was measured, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `goal` is what it should be, in words; nothing compares the two."""

    name: str
    value: float | str | None
    unit: str = ""
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one measurement, how it was asked for, and where it was taken."""

    bench: str
    asked: Mapping[str, Any]
    figures: Sequence[Figure]
    machine: Mapping[str, Any]

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "bench": self.bench,
            "asked": dict(self.asked),
            "figures": [asdict(figure) for figure in self.figures],
            "machine": dict(self.machine),
        }

    def table(self) -> Table:
        """As a table."""
        asked = ", ".join(f"{name} {_number(value)}" for name, value in self.asked.items())
        where = (
            f"{self.machine['cores']} cores, load {self.machine['load']}, {self.machine['python']}"
        )
        table = Table(title=f"bench {self.bench}: {asked}", caption=where, title_justify="left")
        table.add_column("what")
        table.add_column("measured", justify="right")
        table.add_column("unit")
        table.add_column("wanted")
        for figure in self.figures:
            table.add_row(figure.name, _number(figure.value), figure.unit, figure.goal)
        return table


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:,.3g}" if abs(value) < 10 else f"{value:,.1f}"
