"""What gives read models under test trouble, and how they are looked at meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from docreactor.agents.log import Entry
from docreactor.agents.node import Node
from docreactor.pipeline.edge import Edge
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.registry import Registry
from tests.support.ledger import ledger
from tests.support.nodes import Site, done, live, until
from tests.support.steps import Steps

ADD = "ADD"
COUNTS = "counts"

GHOST = Edge(
    source_id="d1",
    branch="main",
    type="child",
    target_id="ghost",
    metadata=None,
    weight=None,
    created_at="2026-01-01T00:00:00.000000Z",
    updated_at="2026-01-01T00:00:00.000000Z",
)


class Trouble(Steps):
    """A hook by which the log takes no transaction while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.is_on = False

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        if self.is_on and step == "begin":
            raise LogError("no broker")


class Fencing(Steps):
    """A hook by which another process takes the edges over amid a transaction."""

    place: Site | None = None

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        if self.place is not None and step == "send":
            place, self.place = self.place, None
            await place.log().transactor(f"{place.settings.app}-relationships-0")


class Counts(ReadModel):
    """How many operations each document has."""

    name = COUNTS

    def apply(self, batch: Sequence[Change], writer: Writer) -> Any:
        for change in batch:
            writer.put(change.document_id, writer.get(change.document_id, 0) + 1)

    def forget(self, document_id: str, writer: Writer) -> None:
        writer.delete(document_id)


class Slow(Counts):
    """It waits for a gate in the middle of a batch."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        self.entered.set()
        await self.gate.wait()
        super().apply(batch, writer)


async def written(place: Site, node: Node, document_id: str, count: int) -> None:
    await done(node, place.creation(document_id))
    for _ in range(count):
        await done(node, place.job(document_id, [(ADD, {"amount": 1})]))


def registry(*read_models: ReadModel) -> Registry:
    return Registry([ledger, *read_models])


def row_of(node: Node, name: str, generation: int = 0) -> Mapping[str, Any]:
    rows = [
        row
        for row in node.positions()
        if row["name"] == name and row.get("generation", 0) == generation
    ]
    return rows[0] if rows else {}


def epoch_of(node: Node) -> int:
    epoch: int = row_of(node, "reducer")["epoch"]
    return epoch


def count_of(node: Node, document_id: str, generation: int | None = None) -> Any:
    table: Any = live(node).serving(COUNTS, generation).projection
    content = table.table.get(document_id)
    return None if content is None else int(content)


def has_ghost(node: Node) -> bool:
    return node.graph.table.has("d1", "ghost", ("child",), "main")


async def haunted(place: Site) -> None:
    """A document with an edge on the topic that none of its operations made."""
    async with place.node() as node:
        await written(place, node, "d1", 1)
        await place.write(place.topics.relationships, Entry(GHOST.key, GHOST.encode()))
        await until(lambda: has_ghost(node))
