"""Decides a batch of jobs: dedupe, check, place. Writes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter

from docreactor.agents.asked import Asked, decode, look_up
from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.loading import Loading
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.mutating import Mutating
from docreactor.agents.placement import Placement
from docreactor.agents.reshuffle import Reshuffle
from docreactor.agents.staging import Staging
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.errors import ReactorError
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
        registry: Registry,
        settings: Settings,
        *,
        bound: Bound,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self._source = source
        self._tables = tables
        self._settings = settings
        self._replay = Replay(registry, bound)
        self._placement = Placement(registry, settings, tables.keyframes, bound=bound)
        self._now_us = now_us

    async def reduce(self, records: Sequence[LogRecord]) -> Staging:
        """Decide every job in offset order; the loop gets its turn every 20 ms.

        Loads of one stream are placed together. UnknownModel where this process lacks a model or
        a version: nothing of the batch may be committed then.
        """
        staging = Staging(self._tables.keyframes.stage())
        jobs = decode(records, self._source, staging)
        await look_up(jobs, staging, self._tables)
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
            partial(self._refuse, staging),
        )
        since = perf_counter()
        for asked in jobs:
            if isinstance(asked.job, Load):
                await loading.add(asked)
            else:
                if loading.is_waiting:
                    await loading.place(asked.job.document_id)
                if not mutating.append(asked):
                    await mutating.reshuffle(asked)
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()
        await loading.place()
        return staging

    def refuse(self, record: LogRecord, error: ReactorError) -> Staging:
        """End one record's job with an error and keep the record among the dead letters."""
        staging = Staging(self._tables.keyframes.stage())
        for asked in decode([record], self._source, staging):
            self._refuse(staging, asked, error)
        return staging

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
