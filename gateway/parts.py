"""Many names, in parts that each fit into the address of a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from docreactor.gateway.requests import LIMIT_MAX

# Servers in between refuse addresses that are much longer.
CHARACTERS_MAX = 6_000


def parts_of(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """All of the names, in their order; a name that is longer by itself is a part by itself."""
    start = characters = 0
    for at, name in enumerate(names):
        characters += len(name)
        if at > start and (characters > CHARACTERS_MAX or at - start == LIMIT_MAX):
            yield names[start:at]
            start, characters = at, len(name)
    if names:
        yield names[start:]
