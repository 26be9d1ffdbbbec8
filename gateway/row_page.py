"""A page of a read model's rows, over all partitions that keep some."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import orjson

from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.live import LivePartition
from docreactor.agents.rows_projection import RowsProjection
from docreactor.gateway.reach import Gathered, Item, Part
from docreactor.gateway.rows import RowsQuery
from docreactor.pipeline.errors import InvalidInputError
from docreactor.tables.rows import Found, RowsTable


class Place(NamedTuple):
    """Behind which row a page begins: rows are in the order of keys, then of partitions."""

    key: str
    partition: int

    @property
    def cursor(self) -> str:
        """Its opaque form."""
        return urlsafe_b64encode(orjson.dumps([*self])).decode().rstrip("=")

    @classmethod
    def read(cls, cursor: str) -> Self:
        """The inverse of `cursor`, or InvalidInput."""
        try:
            found = orjson.loads(urlsafe_b64decode(cursor.encode() + b"=="))
        except ValueError:
            found = None
        match found:
            case [str(key), int(partition)]:
                return cls(key, partition)
            case _:
                raise InvalidInputError("cursor", "must be one that a reply to this request gave")


@dataclass(frozen=True, slots=True)
class RowPage:
    """Which rows one call is after: of one key, or all whose keys begin with a prefix.

    Every node that is asked reads the same page out of the same query.
    """

    name: str
    key: str | None
    prefix: str
    limit: int
    behind: Place | None

    @classmethod
    def of(cls, name: str, query: RowsQuery) -> Self:
        """The page, or InvalidInput for a query of both."""
        if query.key is not None and query.prefix is not None:
            raise InvalidInputError("prefix", "cannot be asked for together with key")
        behind = None if query.cursor is None else Place.read(query.cursor)
        return cls(name, query.key, query.prefix or "", query.limit, behind)

    def read(self, live: LivePartition) -> Part:
        """What one partition has of it."""
        projection = live.serving(self.name, live.generation).projection
        assert isinstance(projection, RowsProjection | FrozenRows), "of the platform's are none"
        found = self._found(projection.table, live.number)
        items: list[Item] = [
            {"key": key, "value": orjson.Fragment(content), "partition": live.number}
            for key, content in found[: self.limit]
        ]
        return Part(items, len(found) > self.limit, live.position_of(self.name))

    def reply(self, gathered: Gathered) -> dict[str, Any]:
        """The rows of all who were asked, in their order."""
        rows = sorted(gathered.items, key=_place)
        more = gathered.more or len(rows) > self.limit
        rows = rows[: self.limit]
        return {"rows": rows, "next_cursor": _place(rows[-1]).cursor if more else None}

    def _found(self, table: RowsTable, partition: int) -> list[Found]:
        """One row more than the page holds, where there are so many."""
        behind = self.behind
        if self.key is not None:
            content = table.get(self.key)
            is_behind = behind is None or (self.key, partition) > behind
            return [] if content is None or not is_behind else [(self.key, content)]
        if behind is None:
            return table.page(self.prefix, limit=self.limit + 1)
        if partition > behind.partition:
            return table.page(self.prefix, at_least=behind.key, limit=self.limit + 1)
        return table.page(self.prefix, after=behind.key, limit=self.limit + 1)


def _place(item: Item) -> Place:
    return Place(item["key"], item["partition"])
