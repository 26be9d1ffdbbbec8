"""Which jobs of a running partition wait, and which streams are to be looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import NamedTuple

from docreactor.agents.dependencies import Dependencies
from docreactor.agents.inbox import Room
from docreactor.agents.log import LogRecord
from docreactor.agents.staging import Staging
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.deferred import Deferred, deferred_key, parse_deferred_key
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.record import HEADERS, Headers
from docreactor.pipeline.timestamp import Microseconds, parse
from docreactor.tables.deferred import DeferredTable

_AT_ONCE = 500


class Wait(NamedTuple):
    """What a deferred job waits for, and until when."""

    job_id: str
    waits_for: tuple[str, ...]
    until_us: int


@dataclass(frozen=True, slots=True)
class ResumedRecord:
    """The LogRecord of a deferred job, as it was consumed."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


class Deferral:
    """One life's deferred jobs, as the table has them. It only reads: the reducer writes.

    A stream is ready when something came that one of its jobs waits for, or the time of its first
    job is over, or a job before others has ended; after a restore every stream is.
    """

    def __init__(
        self,
        table: DeferredTable,
        dependencies: Dependencies,
        *,
        timeout_us: int,
        now_us: Callable[[], Microseconds],
    ) -> None:
        self.table = table
        self.timeout_us = timeout_us
        self.now_us = now_us
        self.streams: dict[Stream, dict[int, Wait]] = {}
        """The deferred jobs of each stream that has any, by their offsets and in their order."""
        self._dependencies = dependencies
        self._offsets: dict[int, Stream] = {}
        self._for_document: set[Stream] = set()
        self._homes: dict[Stream, set[Stream]] = {}
        self._awaited: dict[str, dict[int, Stream]] = {}
        self._due: list[tuple[int, Stream]] = []
        self._ready: dict[Stream, None] = {}

    async def restore(self) -> None:
        """Take in what the table holds, before anything else; the loop gets its turn."""
        for count, deferred in enumerate(self.table.every(), 1):
            self._add(deferred)
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._ready = dict.fromkeys(self.streams)

    @property
    def count(self) -> int:
        """How many jobs are deferred."""
        return len(self._offsets)

    def has_ended(self, job_id: str) -> bool:
        """Whether the job's result was seen."""
        return self._dependencies.has_ended(job_id)

    def is_for_document(self, stream: Stream) -> bool:
        """Whether the stream's first job waits for nothing but its document."""
        return stream in self._for_document

    def is_ready(self) -> bool:
        """Whether any stream is to be looked at."""
        due, now_us = self._due, self.now_us() if self._due else 0
        while due and due[0][0] <= now_us:
            _, stream = heappop(due)
            self._wake([stream])
        return bool(self._ready)

    def take(self, room: Room) -> Sequence[LogRecord]:
        """The jobs of ready streams, each stream's in their order, as many as fit."""
        records: list[LogRecord] = []
        size = 0
        for stream in list(self._ready):
            if room.is_full(len(records), size):
                break
            del self._ready[stream]
            for record in self._records(stream):
                records.append(record)
                size += len(record.value or b"")
                if room.is_full(len(records), size):
                    break
        return records

    def ended(self, job_id: str) -> None:
        """A job has ended that others may wait for."""
        self._wake(self._awaited.get(job_id, {}).values())

    def committed(self, staging: Staging) -> bool:
        """Take in what a batch has written; whether any job waits no longer."""
        if not staging.deferred and not self.streams:
            return False
        before = len(self._offsets)
        for ended in staging.ended:
            if ended.job.id in self._awaited:
                self.ended(ended.job.id)
        added = 0
        for key, deferred in staging.deferred.items():
            if deferred is None:
                self._remove(*parse_deferred_key(key))
            else:
                self._add(deferred)
                added += 1
        for stream, for_document in staging.held.items():
            (self._for_document.add if for_document else self._for_document.discard)(stream)
        for stage in staging.streams.values():
            if stage.home is stage and stage.is_moved and not stage.loaded.next_index:
                self._wake(self._homes.get(stage.stream, ()))
        return len(self._offsets) < before + added

    def release(self, staging: Staging) -> None:
        """Stage the tombstones of the deferred jobs that a batch ends."""
        if not self._offsets:
            return
        for ended in staging.ended:
            stream = self._offsets.get(ended.offset)
            if stream is not None:
                staging.deferred[deferred_key(stream, ended.offset)] = None

    def _records(self, stream: Stream) -> Iterator[ResumedRecord]:
        for deferred in self.table.of(stream):
            job = deferred.job
            value = encode(job.json)
            yield ResumedRecord(deferred.offset, job.document_id.encode(), value, HEADERS, 0)

    def _add(self, deferred: Deferred) -> None:
        stream = deferred.stream
        jobs = self.streams.setdefault(stream, {})
        until_us = parse(deferred.deferred_at) + self.timeout_us
        self._offsets[deferred.offset] = stream
        jobs[deferred.offset] = Wait(deferred.job.id, deferred.waits_for, until_us)
        if len(jobs) == 1:
            self._homes.setdefault(stream.home, set()).add(stream)
            heappush(self._due, (until_us, stream))
            if deferred.needs_document and not deferred.waits_for:
                self._for_document.add(stream)
        for job_id in deferred.waits_for:
            self._awaited.setdefault(job_id, {})[deferred.offset] = stream
        self._dependencies.watch(deferred.waits_for)
        if any(self.has_ended(job_id) for job_id in deferred.waits_for):
            self._wake([stream])

    def _remove(self, stream: Stream, offset: int) -> None:
        jobs = self.streams.get(stream, {})
        gone = jobs.pop(offset, None)
        if gone is None:
            return
        del self._offsets[offset]
        for job_id in gone.waits_for:
            waiting = self._awaited[job_id]
            del waiting[offset]
            if not waiting:
                del self._awaited[job_id]
                self._dependencies.forget([job_id])
        self._for_document.discard(stream)
        if jobs:
            heappush(self._due, (next(iter(jobs.values())).until_us, stream))
            self._wake([stream])
        else:
            del self.streams[stream]
            self._ready.pop(stream, None)
            self._homes[stream.home].discard(stream)
            if not self._homes[stream.home]:
                del self._homes[stream.home]

    def _wake(self, streams: Iterable[Stream]) -> None:
        self._ready |= {stream: None for stream in streams if stream in self.streams}
