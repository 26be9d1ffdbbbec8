"""How far a deployment's workers are, read from the log beside them: it costs them nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson

from docreactor.agents.board import LOG_ID_KEY
from docreactor.agents.log import LogRecord, Reader, TopicPartition
from docreactor.agents.phase import Phase
from docreactor.bench.stage import Stage, Worker
from docreactor.bench.usage import Usage
from docreactor.gateway.broker.progress import Step
from docreactor.pipeline.position import Offset

_POLL_S = 0.1
_FETCH_MS = 200
_FETCH_COUNT = 5_000

RESOLUTION_S = 0.001


class Told(NamedTuple):
    """What a worker said of one partition on `positions`, and when."""

    at_s: float
    kind: str
    partition: int
    state: str
    next_offset: int | None
    progress: float


class Sample(NamedTuple):
    """How much of the jobs was worked off, and what the worker used then."""

    at_s: float
    share: float
    usage: Usage


class Meter:
    """Watches from when it was opened. Its times are wall time, as the records carry it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._told: list[Told] = []
        self.samples: list[Sample] = []

    async def follow(self, reader: Reader) -> None:
        """Read what the workers say, for ever."""
        while True:
            fetched = await reader.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
            for batch in fetched.values():
                self._told += [row for record in batch.records if (row := _told(record))]

    def memory_max(self) -> int:
        """The most that the worker was seen to hold, bytes."""
        return max(sample.usage.rss_bytes for sample in self.samples)

    def running_since_s(self) -> float:
        """When the first partition ran."""
        return min(row.at_s for row in self._told if row.state == Phase.RUNNING.name)

    def restoring_s(self) -> float:
        """From the first partition that restored until all had the reducer's tables.

        At least what `positions` can tell apart.
        """
        restoring = [row for row in self._told if row.state == Phase.RESTORING.name]
        first: dict[int, float] = {}
        for row in self._told:
            # The second half of a restore is the view's.
            if row.progress >= 0.5 or row.state == Phase.RUNNING.name:
                first.setdefault(row.partition, row.at_s)
        taken_s = max(first.values()) - min(row.at_s for row in restoring)
        return max(RESOLUTION_S, taken_s)

    async def consumed(self, ends: Mapping[TopicPartition, Offset], worker: Worker) -> float:
        """When the group's offsets had reached these ends of `actions`."""
        log, waiting = self._stage.log, dict(ends)
        reached = dict.fromkeys(ends, 0)
        total = sum(ends.values())
        while waiting:
            for source in list(waiting):
                reached[source] = await log.committed(source) or 0
                if reached[source] >= waiting[source]:
                    del waiting[source]
            done = sum(reached.values())
            self._stage.progress(Step("Reducing", done, total))
            self.samples.append(Sample(time.time(), done / total, worker.usage()))
            if waiting:
                await asyncio.sleep(_POLL_S)
        return time.time()

    async def viewed(self, worker: Worker) -> float:
        """When the documents table had reached the present end of `operations`."""
        ends = await self._stage.log.end_offsets(self._stage.operations)
        wanted = {source.partition: end for source, end in ends.items() if end}
        while True:
            reached = self._reached(wanted)
            self._stage.progress(Step("Viewing", len(reached), len(wanted)))
            if len(reached) == len(wanted):
                return max(reached.values())
            worker.usage()
            await asyncio.sleep(_POLL_S)

    def _reached(self, wanted: Mapping[int, int]) -> Mapping[int, float]:
        """When each view first said that it was there."""
        reached: dict[int, float] = {}
        for row in self._told:
            there = row.kind == "view" and (row.next_offset or 0) >= wanted.get(row.partition, 0)
            if there and row.partition in wanted:
                reached.setdefault(row.partition, row.at_s)
        return reached


@asynccontextmanager
async def metering(stage: Stage) -> AsyncIterator[Meter]:
    """Watch `positions` from its present end while the block runs."""
    source = TopicPartition(stage.topics.positions, 0)
    ends = await stage.log.end_offsets([source])
    reader = await stage.log.reader(ends)
    meter = Meter(stage)
    following = asyncio.create_task(meter.follow(reader))
    try:
        yield meter
    finally:
        following.cancel()
        await asyncio.wait([following])
        await reader.close()


async def ends_of(
    stage: Stage, sources: Sequence[TopicPartition]
) -> Mapping[TopicPartition, Offset]:
    """The present ends, without the partitions that are empty."""
    ends = await stage.log.end_offsets(sources)
    return {source: end for source, end in ends.items() if end}


def _told(record: LogRecord) -> Told | None:
    if record.value is None or record.key == LOG_ID_KEY:
        return None
    row = orjson.loads(record.value)
    if row.get("kind") not in ("reducer", "view"):
        return None
    return Told(
        record.timestamp / 1_000,
        row["kind"],
        row["partition"],
        row["state"],
        row["next_offset"],
        row["progress"],
    )
