"""Puts work on the actions topic, and remembers what must come of it."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import httpx

from docreactor.agents.log import Entry, Isolation, Log, TopicPartition
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import Topics
from tests.support.history import PARTITIONS
from tests.support.ledger import fold

_BATCH = 500


class Load:
    """Ledgers by id, the amounts added to each in order, and the action ids of each stream."""

    def __init__(self, app: str, *, documents: int, seed: int) -> None:
        self.topics = Topics(app)
        self.amounts: dict[str, list[int]] = {f"ledger-{number}": [] for number in range(documents)}
        self.expected: dict[str, list[str]] = defaultdict(list)
        self._random = random.Random(seed)
        self._entries: dict[TopicPartition, list[Entry]] = defaultdict(list)
        self._count = 0
        self.sent = 0
        for document_id in self.amounts:
            self._create(document_id)

    def add(self, count: int) -> None:
        """So many entries, each a job of its own, over the ledgers at random."""
        ids = list(self.amounts)
        self.sent += count
        for _ in range(count):
            document_id = self._random.choice(ids)
            amount = self._random.randint(-1000, 1000)
            self.amounts[document_id].append(amount)
            self._job(document_id, "global", [("ADD", {"amount": amount})])

    async def send(self, log: Log) -> None:
        """Append what has gathered."""
        writer = await log.writer()
        try:
            for source, entries in self._entries.items():
                for start in range(0, len(entries), _BATCH):
                    await writer.append(source, entries[start : start + _BATCH])
        finally:
            await writer.close()
        self._entries.clear()

    def _create(self, document_id: str) -> None:
        created = {"model": "test/ledger", "document_id": document_id}
        upgraded = created | {"from_version": 0, "to_version": 1}
        self._job(
            document_id,
            "document",
            [("CREATE_DOCUMENT", created), ("UPGRADE_DOCUMENT", upgraded)],
        )

    def _job(self, document_id: str, scope: str, actions: list[tuple[str, object]]) -> None:
        partition = partition_for(document_id, PARTITIONS)
        made: list[Action] = []
        for action_type, given in actions:
            self._count += 1
            action_id = f"a{self._count}"
            made.append(Action(id=action_id, type=action_type, scope=scope, input=given))
            self.expected[f"{document_id}/{scope}/main"].append(action_id)
        job = Mutation(
            id=f"j{self._count}-{partition}",
            document_id=document_id,
            branch="main",
            scope=scope,
            actions=tuple(made),
        )
        entry = Entry(document_id.encode(), encode(job.json))
        self._entries[TopicPartition(self.topics.actions, partition)].append(entry)

    async def wrong_documents(self, url: str) -> list[str]:
        """Ledgers whose row in the documents table is not the fold of their entries."""
        wrong: list[str] = []
        async with httpx.AsyncClient(timeout=30.0) as client:
            for document_id in self.amounts:
                reply = await client.get(f"{url}/v1/documents/{document_id}")
                # A partition may be on its way from one worker to another; it says so.
                while reply.status_code == 503:
                    await asyncio.sleep(float(reply.headers["Retry-After"]))
                    reply = await client.get(f"{url}/v1/documents/{document_id}")
                if not self.is_right(document_id, reply):
                    wrong.append(f"{document_id}: {reply.status_code} {reply.text}")
        return wrong

    def is_right(self, document_id: str, reply: httpx.Response) -> bool:
        """Whether a reply shows the fold of everything that was added to the ledger."""
        if reply.status_code != 200:
            return False
        shown = reply.json()["state"]["global"]
        return bool(shown == fold(self.amounts[document_id]).model_dump())


async def has_open_transaction(log: Log, app: str) -> bool:
    """Whether a transaction that has written operations is open at this moment."""
    from_all = [TopicPartition(f"{app}.operations", number) for number in range(PARTITIONS)]
    return await _ends(log, from_all, committed=True) != await _ends(log, from_all, committed=False)


async def _ends(
    log: Log, sources: list[TopicPartition], *, committed: bool
) -> dict[TopicPartition, Offset]:
    isolation = Isolation.COMMITTED if committed else Isolation.UNCOMMITTED
    return dict(await log.end_offsets(sources, isolation))
