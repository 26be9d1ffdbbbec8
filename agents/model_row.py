"""What the deployment knows of one read model: a row on the board that every node reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

DOCUMENTS = "documents"
RELATIONSHIPS = "relationships"
BUILT_IN = (DOCUMENTS, RELATIONSHIPS)
PREFIX = "model/"


def model_key(name: str) -> str:
    """Key of a read model's row."""
    return f"{PREFIX}{name}"


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A read model's generations. `versions` tells the version of each that is kept.

    `generation` is the one that is to serve; where its rows are not there yet another goes on.
    """

    name: str
    epoch: int
    generation: int
    versions: Mapping[int, int]
    is_required: bool
    is_retired: bool = False
    starts: Mapping[int, Mapping[int, int]] = field(default_factory=dict[int, Mapping[int, int]])
    """Of a generation that does not begin at the beginning: its first offset in each partition."""
    newest: int = 0
    """The highest generation that there ever was. None comes twice: of one that was dropped,
    another place may hold rows still."""

    @classmethod
    def first(cls, name: str, version: int) -> Self:
        """Of a model that nobody has run before."""
        return cls(name, 1, 0, {0: version}, is_required=name in BUILT_IN)

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `json`."""
        return cls(
            row["name"],
            row["epoch"],
            row["generation"],
            {int(generation): version for generation, version in row["versions"].items()},
            row["required"],
            row["retired"],
            {int(one): _numbered(starts) for one, starts in row["starts"].items()},
            row.get("newest", max(map(int, row["versions"]))),
        )

    @property
    def json(self) -> dict[str, Any]:
        """The form of the board."""
        return {
            "epoch": self.epoch,
            "generation": self.generation,
            "name": self.name,
            "newest": self.newest,
            "required": self.is_required,
            "retired": self.is_retired,
            "starts": {
                str(one): {str(partition): offset for partition, offset in starts.items()}
                for one, starts in self.starts.items()
            },
            "versions": {str(one): version for one, version in self.versions.items()},
        }

    @property
    def kept(self) -> list[int]:
        """The generations that are kept, ascending."""
        return sorted(self.versions)

    def keeps(self, generation: int) -> bool:
        """Whether that is one that is kept."""
        return not self.is_retired and generation in self.versions

    @property
    def version(self) -> int:
        """Of the generation that is to serve."""
        return self.versions[self.generation]

    def rebuilt(self, version: int, starts: Mapping[int, int] | None = None) -> Self:
        """With one generation more, which is to serve; it begins at `starts`, by partition."""
        generation = self.newest + 1
        return self._next(
            generation=generation,
            newest=generation,
            versions={**self.versions, generation: version},
            starts={**self.starts, generation: starts} if starts else self.starts,
        )

    def start(self, generation: int, partition: int) -> int:
        """The first offset that a generation is given."""
        return self.starts.get(generation, {}).get(partition, 0)

    def rolled_back(self) -> Self | None:
        """With the generation before to serve; None where none is kept."""
        before = [one for one in self.versions if one < self.generation]
        return self._next(generation=max(before)) if before else None

    def finished(self) -> Self:
        """Without any generation but the one that is to serve."""
        starts = {one: at for one, at in self.starts.items() if one == self.generation}
        return self._next(versions={self.generation: self.version}, starts=starts)

    def required(self) -> Self:
        """As one that READ_READY waits for."""
        return self._next(is_required=True, is_retired=False)

    def retired(self) -> Self:
        """As one that is kept no more, and that nobody waits for."""
        return self._next(is_required=False, is_retired=True)

    def revived(self) -> Self:
        """As one that is kept again, and not yet waited for."""
        return self._next(is_required=False, is_retired=False)

    def _next(self, **fields: Any) -> Self:
        return replace(self, epoch=self.epoch + 1, **fields)


def _numbered(starts: Mapping[str, int]) -> dict[int, int]:
    return {int(partition): offset for partition, offset in starts.items()}
