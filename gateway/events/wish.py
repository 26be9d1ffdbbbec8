"""Which events a subscriber wants: the values of one filter are alternatives, filters add up."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.gateway.events.notice import RELATED, Notice

_Any: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """Filters; an empty one lets everything pass. Equal ones are asked once for each event."""

    events: frozenset[str] = _Any
    document_types: frozenset[str] = _Any
    ids: frozenset[str] = _Any
    parents: frozenset[str] = _Any
    branches: frozenset[str] = _Any
    scopes: frozenset[str] = _Any

    def admits(self, notice: Notice) -> bool:
        """Whether nothing that the event says excludes it. Parents of documents are not asked."""
        return (
            _has(self.events, notice.event)
            and _has(self.document_types, notice.document_type)
            and _has(self.branches, notice.branch)
            and (not self.ids or not self.ids.isdisjoint(notice.ids))
            and (
                not self.scopes
                or notice.scopes is None
                or not self.scopes.isdisjoint(notice.scopes)
            )
            and (notice.event != RELATED or _has(self.parents, notice.ids[0]))
        )

    def asks_for_parents_of(self, notice: Notice) -> bool:
        """Whether the graph decides too."""
        return bool(self.parents) and notice.event != RELATED


def _has(wanted: frozenset[str], value: str | None) -> bool:
    return not wanted or value is None or value in wanted
