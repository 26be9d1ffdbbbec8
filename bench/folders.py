"""A graph for the measurements: folders within folders, full of leaves, some of them shared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from docreactor.bench.stock import DOCUMENT_TYPE
from docreactor.bench.workload import Draft, Job

_HELD = 100
_FANOUT = 4
_SHARED = 11
"""One child in so many is a leaf of another folder, far away in the tree."""
_SEED = 6


@dataclass(frozen=True, slots=True)
class Folders:
    """So many edges of type `child`; leaves are no documents, which an edge does not mind.

    A folder holds about a hundred children; above each folder are those up to the first one, four
    times as many at each step down.
    """

    partitions: int
    edges: int

    @property
    def count(self) -> int:
        """How many folders there are."""
        return max(1, self.edges // _HELD)

    def creations(self) -> Iterator[Job]:
        """One job per folder."""
        draft = Draft(self.partitions, seed=_SEED)
        for number in range(self.count):
            yield draft.creation(folder_id(number), DOCUMENT_TYPE)

    def relations(self) -> Iterator[Job]:
        """One job per folder, with all that it holds."""
        draft = Draft(self.partitions, seed=_SEED + 1)
        for number in range(self.count):
            if held := self.held(number):
                yield draft.relation(folder_id(number), held)

    def held(self, number: int) -> list[str]:
        """What a folder holds: folders, leaves, and leaves of another one."""
        inner = range(_FANOUT * number + 1, _FANOUT * (number + 1) + 1)
        own, shared = self._leaves(number)
        other = (number + self.count // 2) % self.count
        held = [folder_id(one) for one in inner if one < self.count]
        held += [leaf_id(number, place) for place in range(own)]
        return held + [leaf_id(other, place) for place in range(shared)]

    def above(self, number: int) -> list[str]:
        """A folder and all that it is in, up to the first one."""
        above = [folder_id(number)]
        while number:
            number = (number - 1) // _FANOUT
            above.append(folder_id(number))
        return above

    def sharing(self, number: int) -> list[int]:
        """The folders that hold leaves of this one too."""
        sharing = (number - self.count // 2) % self.count
        return [sharing] if self._leaves(sharing)[1] else []

    def _leaves(self, number: int) -> tuple[int, int]:
        """How many leaves are a folder's own, and how many another's."""
        each, rest = divmod(self.edges - (self.count - 1), self.count)
        leaves = each + (number < rest)
        shared = leaves // _SHARED if self.count > 1 else 0
        return leaves - shared, shared


def folder_id(number: int) -> str:
    """The id of one of the folders."""
    return f"folder-{number:06}"


def leaf_id(number: int, place: int) -> str:
    """The id of a leaf of one of the folders."""
    return f"leaf-{number:06}-{place:03}"
