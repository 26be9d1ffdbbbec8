"""Histories of documents of words, drawn by chance: jobs in their order, late ones, undone ones."""

from __future__ import annotations

import random
from typing import Any

from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Incoming, Load
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.timestamp import Microseconds, render
from tests.support.drawn import draw
from tests.support.replicas import Replica

SCOPES = ("document", "global", "global", "global", "local")
_SINCE_US = 1_700_000_000_000_000


async def create(replica: Replica, document_id: str) -> None:
    """A document of words."""
    given: dict[str, Any] = {"model": "test/words", "document_id": document_id}
    upgrade = given | {"from_version": 0, "to_version": 1}
    actions = [
        Action(f"{document_id}-c1", "CREATE_DOCUMENT", "document", input=given),
        Action(f"{document_id}-c2", "UPGRADE_DOCUMENT", "document", input=upgrade),
    ]
    home = Stream(document_id, "document", "main")
    assert await replica.submit(replica.mutation(home, actions)) == [None]


class History:
    """Writes jobs into a replica. What was refused leaves nothing."""

    def __init__(self, replica: Replica, chance: random.Random, document_ids: list[str]) -> None:
        self.replica = replica
        self.chance = chance
        self.document_ids = document_ids
        self._count = 0

    async def write(self, jobs: int) -> None:
        """So many jobs more: mutations of now, and loads of any time since the beginning."""
        for _ in range(jobs):
            await self._write_one()

    async def _write_one(self) -> None:
        chance, replica = self.chance, self.replica
        document_id = chance.choice(self.document_ids)
        stream = Stream(document_id, chance.choice(SCOPES), "main")
        replica.clock += 10
        count = chance.choice([1, 1, 2, 5])
        if chance.random() < 0.5:
            actions = [self._draw(stream, None) for _ in range(count)]
            await replica.submit(replica.mutation(stream, actions))
            return
        stamps = [
            render(Microseconds(chance.randint(_SINCE_US, replica.clock))) for _ in "x" * count
        ]
        drawn = [self._draw(stream, stamp) for stamp in stamps]
        incoming = tuple(
            Incoming(StoredAction(one.id, one.type, one.scope, one.timestamp or "", one.input))
            for one in drawn
        )
        replica.jobs += 1
        load = Load(f"l{replica.jobs}-0", document_id, "main", stream.scope, incoming)
        await replica.submit(load)

    def _draw(self, stream: Stream, timestamp: str | None) -> Action:
        self._count += 1
        return draw(self.chance, stream, f"{stream.document_id}-{self._count}", timestamp)
