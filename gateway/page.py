"""One page of documents: what each partition has of it, and how that becomes one answer."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from heapq import merge
from itertools import repeat
from typing import Protocol

from docreactor.agents.live import LivePartition
from docreactor.agents.node import Node
from docreactor.gateway.reach import Gathered, Item, Part
from docreactor.gateway.read_queries import FindQuery
from docreactor.gateway.requests import LIMIT_MAX
from docreactor.gateway.shown import Excerpt, shown
from docreactor.gateway.turns import Turns
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.position import Position
from docreactor.tables.criteria import (
    Criteria,
    Order,
    Place,
    listing_cursor,
    place_cursor,
    read_listing,
    read_place,
)

Parameters = list[tuple[str, str]]


class Page(Protocol):
    """Every node that is asked reads the same page out of `parameters`."""

    def partitions(self, node: Node) -> Iterable[int]:
        """Which partitions must answer."""
        ...

    @property
    def parameters(self) -> Parameters:
        """The page as another node is asked for it."""
        ...

    async def read(self, node: Node, lives: Sequence[LivePartition]) -> Part:
        """What these partitions have of it."""
        ...

    def joined(self, gathered: Gathered) -> tuple[list[Item], str | None]:
        """The documents of all who were asked, and the cursor of what follows."""
        ...


@dataclass(frozen=True, slots=True)
class IdsPage:
    """Documents by their ids, in that order. Those that are not shown are left out."""

    ids: Sequence[str]
    excerpt: Excerpt
    document_type: str | None
    next_cursor: str | None

    def partitions(self, node: Node) -> Iterable[int]:
        """Those that decide the documents."""
        return {node.partition_of(document_id) for document_id in self.ids}

    @property
    def parameters(self) -> Parameters:
        """As `Page`."""
        given = [("ids", ",".join(self.ids)), ("limit", str(LIMIT_MAX))]
        if self.document_type is not None:
            given.append(("type", self.document_type))
        return given + self.excerpt.parameters

    async def read(self, node: Node, lives: Sequence[LivePartition]) -> Part:
        """As `Page`."""
        position, turns = _reached(node, lives), Turns()
        items: list[Item] = []
        here = {live.number: live for live in lives}
        for document_id in self.ids:
            live = here.get(node.partition_of(document_id))
            if live is not None:
                item = shown(live, document_id, self.excerpt)
                if item is not None and _is_of(item, self.document_type):
                    items.append(item)
                await turns.give()
        return Part(items, False, position)

    def joined(self, gathered: Gathered) -> tuple[list[Item], str | None]:
        """As `Page`."""
        by_id = {item["header"]["id"]: item for item in gathered.items}
        return [by_id[one] for one in self.ids if one in by_id], self.next_cursor


@dataclass(frozen=True, slots=True)
class SlugsPage:
    """The documents that slugs stand for, in the order of the slugs."""

    slugs: Sequence[str]
    excerpt: Excerpt
    document_type: str | None
    next_cursor: str | None

    def partitions(self, node: Node) -> Iterable[int]:
        """All: anyone may claim a slug."""
        return range(node.partition_count)

    @property
    def parameters(self) -> Parameters:
        """As `Page`. Of what type the newest claimant is shows when all have answered."""
        # Each is a parameter of its own: a slug may have commas, and its parts are looked up too.
        given = [("slugs", slug) for slug in self.slugs]
        return [*given, ("limit", str(LIMIT_MAX)), *self.excerpt.parameters]

    async def read(self, node: Node, lives: Sequence[LivePartition]) -> Part:
        """As `Page`; of several claimants here the newest."""
        position, turns = _reached(node, lives), Turns()
        items: list[Item] = []
        for slug in self.slugs:
            claims = [
                (live.documents.slugs.newest(slug, self.excerpt.branch), live) for live in lives
            ]
            made = [(claim[2:], claim, live) for claim, live in claims if claim is not None]
            if made:
                _, claim, live = max(made, key=lambda one: one[0])
                item = shown(live, claim.document_id, self.excerpt)
                if item is not None:
                    items.append(item)
            await turns.give()
        return Part(items, False, position)

    def joined(self, gathered: Gathered) -> tuple[list[Item], str | None]:
        """As `Page`; of several claimants the newest."""
        by_slug: dict[str, Item] = {}
        for item in sorted(gathered.items, key=_claimed):
            by_slug[item["header"]["slug"]] = item
        found = [by_slug[one] for one in self.slugs if one in by_slug]
        return [item for item in found if _is_of(item, self.document_type)], self.next_cursor


@dataclass(frozen=True, slots=True)
class TypePage:
    """The documents of a type, as its list has them after a cursor."""

    criteria: Criteria
    excerpt: Excerpt
    limit: int
    after: Place | None

    def partitions(self, node: Node) -> Iterable[int]:
        """All."""
        return range(node.partition_count)

    @property
    def parameters(self) -> Parameters:
        """As `Page`."""
        order = self.criteria.order
        given = [("type", self.criteria.document_type), ("limit", str(self.limit))]
        given.append(("order", order.value))
        if self.after is not None:
            given.append(("cursor", listing_cursor(order, self.after)))
        return given + self.excerpt.parameters

    async def read(self, node: Node, lives: Sequence[LivePartition]) -> Part:
        """As `Page`. Between two turns of the loop the list and its documents are of one moment."""
        position, turns = _reached(node, lives), Turns()
        items: list[Item] = []
        after, more, is_full = self.after, True, False
        while more and not is_full:
            more = False
            with closing(self._places(lives, after)) as places:
                for place, live in places:
                    if len(items) == self.limit:
                        is_full = True
                        break
                    after = place
                    item = shown(live, place.document_id, self.excerpt)
                    if item is not None:
                        items.append(item)
                    if turns.is_due:
                        more = True
                        break
            await turns.give()
        return Part(items, is_full, position)

    def _places(
        self, lives: Sequence[LivePartition], after: Place | None
    ) -> Generator[tuple[Place, LivePartition]]:
        """The lists of all these as one."""
        order = self.criteria.order
        lists = [
            zip(live.documents.catalogue.listed(self.criteria, after), repeat(live))
            for live in lives
        ]
        yield from merge(*lists, key=lambda one: order.key(one[0]), reverse=order.is_reversed)

    def joined(self, gathered: Gathered) -> tuple[list[Item], str | None]:
        """As `Page`."""
        order = self.criteria.order
        items = sorted(
            gathered.items, key=lambda item: order.key(_place(item)), reverse=order.is_reversed
        )
        more = gathered.more or len(items) > self.limit
        items = items[: self.limit]
        return items, listing_cursor(order, _place(items[-1])) if more else None


def page_of(query: FindQuery) -> IdsPage | SlugsPage | TypePage:
    """By ids, else by slugs, else of a type; InvalidInput for a query of nothing or of both."""
    excerpt = Excerpt.of(query, query.life)
    if query.ids and query.slugs:
        raise InvalidInputError("slugs", "cannot be asked for together with ids")
    if query.ids or query.slugs:
        check_order(query, "by ids or slugs")
        for document_id in query.ids:
            check_id(document_id, field="ids")
        every = tuple(dict.fromkeys(query.ids or query.slugs))
        place = read_place(query.cursor)
        names, following = every[place : place + query.limit], place + query.limit
        next_cursor = place_cursor(following) if following < len(every) else None
        kind = IdsPage if query.ids else SlugsPage
        return kind(names, excerpt, query.type, next_cursor)
    if query.type is None:
        raise InvalidInputError("query", "must name ids, slugs, a parent or a type")
    criteria = Criteria(query.type, query.branch, query.life, query.order)
    return TypePage(criteria, excerpt, query.limit, read_listing(query.order, query.cursor))


def check_order(query: FindQuery, found: str) -> None:
    """InvalidInput for an order that a list of its own order cannot have."""
    if query.order is not Order.ID:
        raise InvalidInputError("order", f"is that of a type's list, and not of one {found}")


def _reached(node: Node, lives: Iterable[LivePartition]) -> Position:
    """How far the tables are: what is read from now on is at least as new."""
    positions = (live.view_position() for live in lives)
    return reduce(Position.merge, positions, Position(node.log_id, {}))


def _is_of(item: Item, document_type: str | None) -> bool:
    return document_type in (None, item["header"]["document_type"])


def _place(item: Item) -> Place:
    return Place(item["header"]["id"], item["header"]["last_modified_at"])


def _claimed(item: Item) -> tuple[str, str]:
    return item["header"]["slug_claimed_at"] or "", item["header"]["id"]
