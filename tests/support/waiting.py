"""What the tests of deferred jobs ask for: loads, jobs of other partitions, a clock to turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from docreactor.agents.clock import SystemClock
from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.node import Node
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.job import Incoming, JobResult, Load
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.timestamp import Microseconds, render
from tests.support.nodes import Site, live, until

_SINCE_US = 1_700_000_000_000_000


@dataclass
class TurnedClock(SystemClock):
    """The machine's own, so much ahead."""

    ahead_us: int = 0

    def now_us(self) -> Microseconds:
        return Microseconds(super().now_us() + self.ahead_us)


@dataclass
class Waiting:
    """Jobs around a site, and where the documents that they are about are."""

    place: Site
    loads: int = 0
    minter: IdMinter = field(default_factory=lambda: IdMinter(SystemClock().now_ms, lambda bits: 1))

    def load(self, document_id: str, actions: Sequence[tuple[str, Any]], **fields: Any) -> Load:
        """Operations from elsewhere, a second apart."""
        self.loads += 1
        scope = fields.pop("scope", "global")
        incoming = [
            Incoming(
                action=StoredAction(
                    id=f"l{self.loads}-{at}",
                    type=kind,
                    scope=scope,
                    timestamp=render(Microseconds(_SINCE_US + (self.loads * 100 + at) * 1_000_000)),
                    input=given,
                    context=None,
                )
            )
            for at, (kind, given) in enumerate(actions)
        ]
        return Load(
            id=f"load{self.loads}-0",
            document_id=document_id,
            branch="main",
            scope=scope,
            operations=tuple(incoming),
            **fields,
        )

    def creating(self, document_id: str) -> Load:
        """A load that brings the document."""
        model = "test/ledger"
        upgraded = {"from_version": 0, "to_version": 1}
        return self.load(
            document_id,
            [
                ("CREATE_DOCUMENT", {"model": model, "document_id": document_id}),
                ("UPGRADE_DOCUMENT", {"model": model, "document_id": document_id} | upgraded),
            ],
            scope="document",
        )

    def mint(self, partition: int = 1) -> str:
        """The id of a job that the partition has been asked for just now."""
        return f"{self.minter.mint()}-{partition}"

    async def end(self, job_id: str) -> None:
        """A result of another partition."""
        writer = await self.place.log().writer()
        partition = int(job_id.rpartition("-")[2])
        source = TopicPartition(self.place.topics.jobs, partition)
        await writer.append(source, [Entry(job_id.encode(), encode({"id": job_id}))])


async def is_deferred(node: Node, *job_ids: str) -> None:
    """Wait until all of these are deferred."""
    await until(lambda: all(live(node).deferred.get(job_id) for job_id in job_ids))


async def ended(node: Node, *job_ids: str) -> list[JobResult]:
    """Wait until all of these have ended, also after a partition began anew."""
    await until(lambda: all(node.local(0) and live(node).job(one) for one in job_ids))
    results = [live(node).job(job_id) for job_id in job_ids]
    return [result for result in results if result is not None]
