"""Where a measurement takes place: a Kafka, the topics of one deployment, its workers."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from docreactor.agents.log import Entry, Log, TopicPartition
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.topics import check_topics, create_topics
from docreactor.bench.usage import Usage, usage_of
from docreactor.bench.workload import Job
from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.development import home_of
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.resolution import UNREACHABLE_AFTER_S, Broker, use_broker
from docreactor.gateway.deployment import WORKER
from docreactor.gateway.worker_process import WorkerPlan, WorkerProcess
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics

_FILL_RECORDS = 8_000
READY_TIMEOUT_S = 600.0
_LAST_WORDS_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Worker:
    """One `docreactor worker`, from the moment it was started."""

    process: WorkerProcess
    started_s: float

    async def ready(self) -> Announcement:
        """Where it answers, once it serves. MeasurementFailed when it ends or takes too long."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                listening = await self.process.listening()
                announcement = await self.process.ready() if listening else None
        except TimeoutError as cause:
            raise MeasurementFailedError(
                f"the worker was not ready within {READY_TIMEOUT_S:.0f} s; "
                f"see {self.process.plan.log}"
            ) from cause
        if announcement is None:
            await self.process.ended()
            raise MeasurementFailedError(f"the worker ended: {self.process.reason()}")
        return announcement

    def usage(self) -> Usage:
        """What it has used so far. MeasurementFailed when it is gone."""
        try:
            return usage_of(self.process.pid)
        except ProcessLookupError as cause:
            raise MeasurementFailedError(f"the worker ended: {self._last_words()}") from cause

    def _last_words(self) -> str:
        """The end of its journal, which goes with the stage."""
        return self.process.plan.log.read_bytes()[-_LAST_WORDS_BYTES:].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Stage:
    """One deployment of its own, in a directory that goes with it."""

    settings: Settings
    broker: Broker
    log: Log
    log_id: str
    topics: Topics
    progress: Progress

    @property
    def actions(self) -> Sequence[TopicPartition]:
        """Where jobs go."""
        return self._partitions(self.topics.actions)

    @property
    def operations(self) -> Sequence[TopicPartition]:
        """Where operations go."""
        return self._partitions(self.topics.operations)

    @property
    def tables(self) -> Path:
        """Where the first worker keeps its tables."""
        return self._home(1) / self.settings.app / "tables"

    def _home(self, number: int) -> Path:
        return self.settings.data / f"worker-{number}"

    def _partitions(self, topic: str) -> Sequence[TopicPartition]:
        return [TopicPartition(topic, number) for number in range(self.settings.partitions)]

    def say(self, what: str) -> None:
        """Tell what is being done, where nobody can tell how long it takes."""
        self.progress(Step(what))

    async def fill(self, topic: str, jobs: Iterable[Job], *, what: str, total: int) -> int:
        """Append all jobs, in their order within each partition; how many actions they ask for."""
        writer = await self.log.writer()
        actions = 0
        try:
            for some in _chunks(jobs):
                await asyncio.gather(
                    *(
                        writer.append(TopicPartition(topic, partition), entries)
                        for partition, entries in _by_partition(some).items()
                    )
                )
                actions += sum(job.actions for job in some)
                self.progress(Step(what, actions, total))
        finally:
            await writer.close()
        return actions

    @asynccontextmanager
    async def worker(self, *models: str, number: int = 1) -> AsyncIterator[Worker]:
        """Start the product's worker; it is stopped, in order, at the end of the block.

        Each `number` has tables of its own, which stay.
        """
        self.say("Starting a worker")
        arguments = (
            "--app",
            self.settings.app,
            "--data",
            str(self._home(number)),
            "--json",
            "--supervised",
        )
        chosen = [word for model in models for word in ("--models", model)]
        plan = WorkerPlan(
            number=number,
            command=(*WORKER, *arguments, *chosen),
            environment=self._environment(),
            port=0,
            log=self.settings.data / f"worker-{number}.log",
        )
        started_s = time.time()
        process = await WorkerProcess.start(plan, port=0)
        try:
            yield Worker(process, started_s)
        finally:
            await process.stop()

    def _environment(self) -> Mapping[str, str]:
        settings = self.settings
        return {
            **os.environ,
            "DOCREACTOR_BROKER": self.broker.bootstrap_servers,
            "DOCREACTOR_PARTITIONS": str(settings.partitions),
            "DOCREACTOR_REPLICATION_FACTOR": str(settings.replication_factor),
            "DOCREACTOR_MIN_INSYNC_REPLICAS": str(settings.min_insync_replicas),
        }

    def broker_usage(self) -> Usage | None:
        """What the broker has used so far; None for one that was not started here."""
        server = self.broker.server
        return None if server is None else usage_of(server.pid)

    def bytes_on_disk(self, topic: str) -> int | None:
        """What the topic takes in the broker's data; None for a broker of another machine."""
        if self.broker.server is None:
            return None
        directories = home_of(self.settings).data.glob(f"{topic}-*")
        return sum(
            file.stat().st_size for directory in directories for file in directory.glob("*.log")
        )


@asynccontextmanager
async def open_stage(
    *, partitions: int, directory: Path | None, progress: Progress
) -> AsyncIterator[Stage]:
    """Start Kafka unless DOCREACTOR_BROKER names one, create the topics of a new deployment.

    Everything lies in a new directory under `directory`, or where temporary files go, and is
    removed at the end of the block; on a Kafka of another's the topics stay.
    """
    data = Path(tempfile.mkdtemp(prefix="docreactor-bench-", dir=directory))
    app = f"bench-{secrets.token_hex(4)}"
    settings = Settings(
        app=app, data=data, partitions=partitions, replication_factor=1, min_insync_replicas=1
    )
    try:
        with use_broker(settings, progress=progress) as broker:
            async with open_kafka(
                settings, broker.bootstrap_servers, wait_s=UNREACHABLE_AFTER_S
            ) as log:
                await create_topics(log, settings)
                log_id = await check_topics(log, settings)
                yield Stage(settings, broker, log, log_id, Topics(app), progress)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _chunks(jobs: Iterable[Job]) -> Iterable[list[Job]]:
    some: list[Job] = []
    for job in jobs:
        some.append(job)
        if len(some) == _FILL_RECORDS:
            yield some
            some = []
    if some:
        yield some


def _by_partition(jobs: Iterable[Job]) -> Mapping[int, Sequence[Entry]]:
    entries: dict[int, list[Entry]] = defaultdict(list)
    for job in jobs:
        entries[job.partition].append(job.entry)
    return entries
