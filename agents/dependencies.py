"""How one partition learns that a job has ended, whichever partition decided it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import structlog

from docreactor.agents.log import Fetched, Log, Reader, TopicPartition
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.keys import job_minted_ms, job_partition
from docreactor.pipeline.position import Offset
from docreactor.tables.jobs import JobsTable

_log = structlog.get_logger(__name__)

_FETCH_COUNT = 5_000
_FETCH_MS = 100
_RETRY_S = 0.5


class Dependencies:
    """Looks for the results of watched jobs: here in the jobs table, elsewhere on the log.

    It writes nothing. `ended` is told of each watched job of another partition whose result was
    seen, from inside `run`; what this partition decides its owner sees itself. Watch a job after
    whoever waits for it is in the table: then no result is missed.
    """

    def __init__(
        self,
        log: Log,
        source: TopicPartition,
        jobs: JobsTable,
        *,
        partition_count: int,
        skew_ms: int,
        ended: Callable[[str], None],
    ) -> None:
        self._log = log
        self._source = source
        self._jobs = jobs
        self._partition_count = partition_count
        self._skew_ms = skew_ms
        self._tell = ended
        self._ended: set[str] = set()
        self._open: dict[TopicPartition, dict[str, Offset | None]] = {}
        """By partition the jobs that are looked for, and up to where that was in vain."""
        self._added = asyncio.Event()

    @property
    def watched(self) -> int:
        """How many jobs of other partitions are looked for."""
        return sum(map(len, self._open.values()))

    def has_ended(self, job_id: str) -> bool:
        """Whether its result was seen. For a job of another partition: since it is watched."""
        if self._partition(job_id) == self._source:
            return self._jobs.has(job_id)
        return job_id in self._ended

    def watch(self, job_ids: Iterable[str]) -> None:
        """Look for these until they have ended; what has ended already is told at once by `run`.

        An id that no partition can have decided is never found.
        """
        for job_id in job_ids:
            source = self._partition(job_id)
            if source is None or source == self._source or job_id in self._ended:
                continue
            looked = self._open.setdefault(source, {})
            if job_id not in looked:
                looked[job_id] = None
                self._added.set()

    def forget(self, job_ids: Iterable[str]) -> None:
        """Nobody waits for these any more."""
        for job_id in job_ids:
            self._ended.discard(job_id)
            source = self._partition(job_id)
            if source is not None:
                self._close(source, job_id)

    async def run(self) -> None:
        """Look until cancelled. What the log cannot do is tried again."""
        while True:
            if not self._open:
                self._added.clear()
                await self._added.wait()
            try:
                await self._follow()
            except LogError as error:
                _log.warning("looking for results failed", detail=str(error))
                await asyncio.sleep(_RETRY_S)

    async def _follow(self) -> None:
        """Read on until nothing is looked for, or in a partition that is not read yet."""
        followed = await self._starts()
        if not followed:
            return
        reader = await self._log.reader(followed)
        try:
            while self._open:
                if self._added.is_set() and not await self._go_back(reader, followed):
                    return
                fetched = await reader.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
                for source, batch in fetched.items():
                    self._take(source, batch)
        finally:
            await reader.close()

    async def _go_back(self, reader: Reader, followed: Mapping[TopicPartition, Offset]) -> bool:
        """Read again what may hold results of added jobs; False where another reader must."""
        starts = await self._starts()
        if not starts.keys() <= followed.keys():
            return False
        for source, offset in starts.items():
            reader.seek(source, offset)
        return True

    async def _starts(self) -> Mapping[TopicPartition, Offset]:
        """Where to go on reading for all that is looked for."""
        self._added.clear()
        await self._locate()
        firsts = await self._log.start_offsets(list(self._open))
        starts: dict[TopicPartition, Offset] = {}
        for source, first in firsts.items():
            looked = [at for at in self._open.get(source, {}).values() if at is not None]
            if looked:
                starts[source] = max(first, min(looked))
        return starts

    async def _locate(self) -> None:
        """Find where to begin for what was added: not later than its result can stand."""
        added = {
            source: [job_id for job_id, looked in jobs.items() if looked is None]
            for source, jobs in self._open.items()
        }
        times_ms = {
            source: min(map(self._earliest_ms, job_ids))
            for source, job_ids in added.items()
            if job_ids
        }
        if not times_ms:
            return
        for source, offset in (await self._log.offsets_since(times_ms)).items():
            jobs = self._open.get(source, {})
            jobs |= {job_id: offset for job_id in added[source] if job_id in jobs}

    def _earliest_ms(self, job_id: str) -> int:
        """No result of the job can be older, by whichever clock."""
        return max(0, (job_minted_ms(job_id) or 0) - self._skew_ms)

    def _take(self, source: TopicPartition, fetched: Fetched) -> None:
        jobs = self._open.get(source)
        if jobs is None:
            return
        for record in fetched.records:
            job_id = (record.key or b"").decode(errors="replace")
            if job_id in jobs:
                self._close(source, job_id)
                self._ended.add(job_id)
                self._tell(job_id)
        for job_id, looked in jobs.items():
            jobs[job_id] = None if looked is None else max(looked, fetched.next_offset)

    def _close(self, source: TopicPartition, job_id: str) -> None:
        jobs = self._open.get(source)
        if jobs is not None:
            jobs.pop(job_id, None)
            if not jobs:
                del self._open[source]

    def _partition(self, job_id: str) -> TopicPartition | None:
        try:
            number = job_partition(job_id)
        except ValueError:
            return None
        if not 0 <= number < self._partition_count:
            return None
        return TopicPartition(self._source.topic, number)
