"""The changes that turn one text into another, in code points."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

Patch = tuple[int, int, str]
"""Position, count of deleted code points, inserted text: in the text that the last one left."""

# Comparing more lines than these takes longer than what it saves is worth.
_LINES_MAX = 10_000


def patches(old: str, new: str) -> list[Patch]:
    """Applied one after the other to `old`, they give `new`. The same two give the same ones."""
    start = _shared_start(old, new)
    end = _shared_end(old, new, limit=min(len(old), len(new)) - start)
    # Whole lines make the shorter patches: a line's own start and end are trimmed below.
    start = old.rfind("\n", 0, start) + 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    old_lines, new_lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old_lines) + len(new_lines) > _LINES_MAX:
        return list(_trimmed(start, before, after))
    return [
        patch
        for position, deleted, inserted in _replaced(old_lines, new_lines)
        for patch in _trimmed(start + position, deleted, inserted)
    ]


def _replaced(old: list[str], new: list[str]) -> Iterator[tuple[int, str, str]]:
    """Runs of lines that differ, each with its place in the new text."""
    places = [0]
    for line in new:
        places.append(places[-1] + len(line))
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield places[new_from], "".join(old[old_from:old_to]), "".join(new[new_from:new_to])


def _trimmed(position: int, deleted: str, inserted: str) -> Iterator[Patch]:
    start = _shared_start(deleted, inserted)
    end = _shared_end(deleted, inserted, limit=min(len(deleted), len(inserted)) - start)
    count = len(deleted) - start - end
    if count or len(inserted) > start + end:
        yield position + start, count, inserted[start : len(inserted) - end]


def _shared_start(left: str, right: str) -> int:
    """How many code points both begin with."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shared_end(left: str, right: str, *, limit: int) -> int:
    """How many code points, at most `limit`, both end with."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if (
            left[len(left) - middle : len(left) - low]
            == right[len(right) - middle : len(right) - low]
        ):
            low = middle
        else:
            high = middle - 1
    return low
