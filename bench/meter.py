"""How far a deployment's workers are, read from the log beside them: it costs them nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson

from docreactor.agents.coordinator import READY_PREFIX
from docreactor.agents.log import LogRecord, Reader, TopicPartition
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.phase import Phase
from docreactor.bench.stage import Stage, Worker
from docreactor.bench.usage import Usage
from docreactor.gateway.broker.progress import Step
from docreactor.pipeline.position import Offset

_POLL_S = 0.1
_FETCH_MS = 200
_FETCH_COUNT = 5_000

RESOLUTION_S = 0.001
READY = "ready"
"""What is told of how far every required read model is, beside each of them by its name."""


class Told(NamedTuple):
    """What a worker said of one partition on `positions`, and when.

    `name` is `reducer`, a read model's, or `ready`; `serving` whether it is what answers.
    """

    at_s: float
    name: str
    partition: int
    next_offset: int | None
    generation: int = 0
    serving: bool = True
    state: str = ""
    progress: float = 1.0


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
        told = [row for row in self._told if row.state]
        restoring = [row for row in told if row.state == Phase.RESTORING.name]
        first: dict[int, float] = {}
        for row in told:
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
        return await self.reached(DOCUMENTS, worker)

    async def ready(self, worker: Worker) -> float:
        """When every required read model had reached the present end of `operations`."""
        return await self.reached(READY, worker)

    async def reached(self, name: str, *workers: Worker, generation: int | None = None) -> float:
        """When a read model had, in every partition: what serves, or a generation of it."""
        ends = await self._stage.log.end_offsets(self._stage.operations)
        wanted = {source.partition: end for source, end in ends.items() if end}
        while True:
            reached = self._reached(wanted, name, generation)
            self._stage.progress(Step(f"Showing in {name}", len(reached), len(wanted)))
            if len(reached) == len(wanted):
                return max(reached.values())
            for worker in workers:
                worker.usage()
            await asyncio.sleep(_POLL_S)

    def begun_s(self, name: str, generation: int) -> float:
        """When a generation of a read model was first told of."""
        return min(
            row.at_s for row in self._told if (row.name, row.generation) == (name, generation)
        )

    def _reached(
        self, wanted: Mapping[int, int], name: str, generation: int | None
    ) -> Mapping[int, float]:
        """When each partition was first said to be there."""
        reached: dict[int, float] = {}
        for row in self._told:
            meant = row.serving if generation is None else row.generation == generation
            there = row.name == name and (row.next_offset or 0) >= wanted.get(row.partition, 0)
            if meant and there and row.partition in wanted:
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
    at_s, key = record.timestamp / 1_000, (record.key or b"").decode()
    row = orjson.loads(record.value) if record.value is not None else {}
    if key.startswith(READY_PREFIX):
        partition = int(key.removeprefix(READY_PREFIX))
        return Told(at_s, READY, partition, row["next_offset"])
    if not isinstance(row, dict) or row.get("kind") not in ("reducer", "view"):
        return None
    return Told(
        at_s,
        row["name"],
        row["partition"],
        row["next_offset"],
        row.get("generation", 0),
        row.get("serving", True),
        row["state"],
        row.get("progress", 1.0),
    )
