"""Decides a batch of jobs: dedupe, check, place. Writes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter

from docreactor.agents.asked import Asked, decode, look_up
from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.deferral import Deferral
from docreactor.agents.erasure import erasure_of
from docreactor.agents.gate import Gate
from docreactor.agents.loading import Loading
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.mutating import Mutating
from docreactor.agents.placement import Placement
from docreactor.agents.reshuffle import Reshuffle
from docreactor.agents.staging import Staging
from docreactor.agents.working import Working
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.errors import DocumentNotFoundError, ReactorError
from docreactor.pipeline.job import Load
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds

_STRETCH_S = 0.02


class ReducerAgent:
    """One partition's reducer."""

    def __init__(
        self,
        source: TopicPartition,
        tables: WriteTables,
        deferral: Deferral,
        registry: Registry,
        settings: Settings,
        *,
        bound: Bound,
        now_us: Callable[[], Microseconds],
        working: Working,
    ) -> None:
        self.working = working
        self._source = source
        self._tables = tables
        self._deferral = deferral
        self._settings = settings
        self._replay = Replay(registry, bound)
        self._placement = Placement(registry, settings, tables.keyframes, bound=bound)
        self._now_us = now_us

    async def reduce(self, records: Sequence[LogRecord], *, is_resumed: bool = False) -> Staging:
        """Decide every job in offset order; the loop gets its turn every 20 ms.

        A job that must wait is deferred; `is_resumed` says that the records are those of deferred
        jobs. Loads of one stream are placed together. UnknownModel where this process lacks a
        model or a version: nothing of the batch may be committed then.
        """
        staging = Staging(self._tables.keyframes.stage())
        jobs = decode(records, self._source, staging)
        self.working.begin(jobs)
        await look_up(jobs, staging, self._tables)
        gate = Gate(
            self._deferral,
            staging,
            partial(self._refuse, staging),
            jobs if is_resumed else (),
            count_max=self._settings.deferred_jobs_max,
        )
        mutating = Mutating(
            staging,
            self._placement,
            partial(self._reshuffle, staging, is_mutation=True),
            now_us=self._now_us,
            skew_max_ms=self._settings.clock_skew_max_ms,
        )
        loading = Loading(
            staging,
            partial(self._reshuffle, staging, is_mutation=False),
            partial(self._refuse_load, staging, gate),
        )
        since = perf_counter()
        for asked in jobs:
            job = asked.job
            is_load = isinstance(job, Load)
            if loading.is_waiting and (job.depends_on or not is_load):
                await loading.place(None if job.depends_on else job.document_id)
            if (job.depends_on or gate.is_watching) and gate.holds(asked):
                continue
            if is_load:
                await loading.add(asked)
            elif not await mutating.append(asked):
                await mutating.reshuffle(asked)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        await loading.place()
        for cancellation, offset in staging.cancellations:
            gate.cancel(cancellation, offset)
        self._deferral.release(staging)
        return staging

    def refuse(self, record: LogRecord, error: ReactorError) -> Staging:
        """End one record's job with an error and keep the record among the dead letters."""
        staging = Staging(self._tables.keyframes.stage())
        for asked in decode([record], self._source, staging):
            self._refuse(staging, asked, error)
        erasure = erasure_of(record)
        if erasure is not None:
            staging.fail(erasure, record.offset, error)
            staging.dead_letters.append(dead_letter(record, self._source, error))
        self._deferral.release(staging)
        return staging

    def _refuse_load(self, staging: Staging, gate: Gate, asked: Asked, error: ReactorError) -> None:
        if isinstance(error, DocumentNotFoundError):
            if gate.holds_without_document(asked):
                return
            error = gate.timeout([f"document {asked.job.document_id} on {asked.job.branch}"])
        self._refuse(staging, asked, error)

    def _refuse(self, staging: Staging, asked: Asked, error: ReactorError) -> None:
        staging.fail(asked.job, asked.record.offset, error)
        staging.dead_letters.append(dead_letter(asked.record, self._source, error))

    def _reshuffle(self, staging: Staging, *, is_mutation: bool) -> Reshuffle:
        return Reshuffle(
            self._tables,
            self._placement,
            self._replay,
            staging,
            rows_max=self._settings.reshuffle_rows_max,
            is_mutation=is_mutation,
        )
