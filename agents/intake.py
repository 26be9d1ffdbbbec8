"""Where jobs come in: appended to `actions`, refused while too many wait already."""

from __future__ import annotations

from collections.abc import Callable

from docreactor.agents.deployment import Deployment
from docreactor.agents.log import Entry, Writer
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
        self._produced: dict[int, int] = {}

    async def open(self) -> None:
        """Connect. Before it, and after `close`, every job is refused."""
        self._writer = await self._deployment.log.writer()

    async def close(self) -> None:
        """Let go of the connection. Idempotent."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()

    async def submit(self, job: Job) -> int:
        """Returns the job's offset once it is acknowledged. TooBusy or LogError."""
        partition = partition_for(job.document_id, self._deployment.settings.partitions)
        self._check_backlog(partition)
        if self._writer is None:
            raise LogError("this node is not connected: try again shortly")
        entry = Entry(job.document_id.encode(), encode(job.json))
        offset = await self._writer.append(self._deployment.actions(partition), [entry])
        self._produced[partition] = max(offset, self._produced.get(partition, 0))
        return offset

    def _check_backlog(self, partition: int) -> None:
        produced, consumed = self._produced.get(partition), self._consumed(partition)
        limit = self._deployment.settings.backlog_records_max
        if produced is not None and consumed is not None and produced - consumed > limit:
            raise TooBusyError(backlog=produced - consumed, limit=limit)
