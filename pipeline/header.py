"""What operations say about a document's header: the newest word on each field stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from docreactor.pipeline.canonical import JSON

NAME = "name"
SLUG = "slug"
_META = "meta/"


class Fact(NamedTuple):
    """A field's value, and the time and the id of the action that gave it."""

    timestamp: str
    action_id: str
    value: Any


Facts = Mapping[str, Fact]
"""What one stream says, by field. The streams of a document are joined by `newest`."""

NO_FACTS: Facts = MappingProxyType({})


def meta_field(key: str) -> str:
    """The field of one key of the header's meta."""
    return _META + key


def newest(streams: Iterable[Facts]) -> Facts:
    """Of each field the newest word, by time and then by action id."""
    joined: dict[str, Fact] = {}
    for facts in streams:
        for field, fact in facts.items():
            known = joined.get(field)
            if known is None or fact[:2] > known[:2]:
                joined[field] = fact
    return joined


def meta(created: Mapping[str, JSON], facts: Facts) -> dict[str, JSON]:
    """The header's meta: what the creation gave, changed by what was said since. Null removes."""
    shown = dict(created)
    for field, fact in facts.items():
        if field.startswith(_META):
            key = field[len(_META) :]
            if fact.value is None:
                shown.pop(key, None)
            else:
                shown[key] = fact.value
    return shown


def write_facts(facts: Facts) -> dict[str, JSON]:
    """Their JSON."""
    return {field: list(fact) for field, fact in facts.items()}


def read_facts(content: Mapping[str, Any]) -> Facts:
    """The inverse of `write_facts`. ValueError or TypeError for anything else."""
    if not content:
        return NO_FACTS
    return {field: Fact(*parts) for field, parts in content.items()}
