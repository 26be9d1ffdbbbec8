"""Where jobs come in: appended to `actions`, refused while too many wait already."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docreactor.agents.bundle import BundleWriter
from docreactor.agents.deployment import Deployment
from docreactor.agents.log import Entry, TopicPartition, Writer
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import LogError, TooBusyError
from docreactor.pipeline.job import Job
from docreactor.pipeline.keys import partition_for


class Intake:
    """One process's way to append jobs. `consumed` says how far a partition's reducer is."""

    def __init__(self, deployment: Deployment, consumed: Callable[[int], int | None]) -> None:
        self._deployment = deployment
        self._consumed = consumed
        self._writer: Writer | None = None
        transactional_id = f"{deployment.settings.app}-gateway-{deployment.node_id}"
        self._bundles = BundleWriter(deployment.log, transactional_id)
        self._produced: dict[int, int] = {}

    async def open(self) -> None:
        """Connect. Before it, and after `close`, every job is refused."""
        self._writer = await self._deployment.log.writer()

    async def close(self) -> None:
        """Let go of the connection. Idempotent."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
        await self._bundles.close()

    async def submit(self, job: Job) -> int:
        """Returns the job's offset once it is acknowledged. TooBusy or LogError."""
        source = self._source(job)
        self._check_backlog(source.partition)
        offset = await self._connected().append(source, [_entry(job)])
        self._produce(source, offset)
        return offset

    async def submit_together(self, jobs: Sequence[Job]) -> Sequence[int]:
        """All of them or none, each partition's in their order; returns their offsets.

        -1 stands for an offset that is unknown. TooBusy or LogError.
        """
        appends: dict[TopicPartition, list[Entry]] = {}
        places: list[tuple[TopicPartition, int]] = []
        for job in jobs:
            entries = appends.setdefault(self._source(job), [])
            places.append((self._source(job), len(entries)))
            entries.append(_entry(job))
        for source in appends:
            self._check_backlog(source.partition)
        self._connected()
        firsts = await self._bundles.append(appends)
        for source, first in firsts.items():
            self._produce(source, first + len(appends[source]) - 1)
        return [-1 if firsts[source] < 0 else firsts[source] + place for source, place in places]

    def _source(self, job: Job) -> TopicPartition:
        partitions = self._deployment.settings.partitions
        return self._deployment.actions(partition_for(job.document_id, partitions))

    def _connected(self) -> Writer:
        if self._writer is None:
            raise LogError("this node is not connected: try again shortly")
        return self._writer

    def _produce(self, source: TopicPartition, offset: int) -> None:
        known = self._produced.get(source.partition, 0)
        self._produced[source.partition] = max(offset, known)

    def _check_backlog(self, partition: int) -> None:
        produced, consumed = self._produced.get(partition), self._consumed(partition)
        limit = self._deployment.settings.backlog_records_max
        if produced is not None and consumed is not None and produced - consumed > limit:
            raise TooBusyError(backlog=produced - consumed, limit=limit)


def _entry(job: Job) -> Entry:
    return Entry(job.document_id.encode(), encode(job.json))
