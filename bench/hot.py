"""One document that everybody edits: a real history, as fast as it goes, and back to any point."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import Any

import orjson

from docreactor.agents.log import TopicPartition
from docreactor.bench.meter import RESOLUTION_S, Meter, ends_of, metering
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage, Worker
from docreactor.bench.trace import Patch, Trace, texts_at
from docreactor.bench.wire import Wire, open_wire
from docreactor.bench.workload import SCOPE, changes, creation
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.position import Offset

MODEL = "docreactor.examples.text"
DOCUMENT_TYPE = "example/text"
DOCUMENT_ID = "paper"
_EARLY = 0.2
_FETCH_COUNT = 500
_FETCH_MS = 500


async def measure_hot(stage: Stage, trace: Trace, per_job: int) -> list[Figure]:
    """All edits are on the log before the worker starts; the clock as in `measure_write`."""
    await _fill(stage, trace, per_job)
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        before = worker.usage()
        written_s = await meter.consumed(ends, worker)
        read_s = await meter.ready(worker)
        # What is shown was written: offsets are asked for less often than positions are told.
        written_s = min(written_s, read_s)
        since_s = min(meter.running_since_s(), written_s - RESOLUTION_S)
        used_s = worker.usage().cpu_s - before.cpu_s
        count = len(trace.edits)
        figures = [
            Figure("edits", count),
            Figure(
                "edits to WRITE_READY",
                count / (written_s - since_s),
                "actions/s",
                "at least 5,000",
            ),
            Figure("edits to READ_READY", count / (read_s - since_s), "actions/s"),
            *_memory(meter, worker),
            Figure("processor per action, worker", used_s / count * 1e6, "µs"),
            Figure("worker's share of a core", used_s / (read_s - since_s) * 100, "%"),
        ]
        async with open_wire(announcement.url) as wire:
            figures += await _texts(wire, trace)
    return figures + await _growth(stage)


async def _fill(stage: Stage, trace: Trace, per_job: int) -> None:
    partitions = stage.settings.partitions
    first = [creation(DOCUMENT_ID, DOCUMENT_TYPE, partitions)]
    await stage.fill(stage.topics.actions, first, what="Creating the document", total=2)
    jobs = changes(DOCUMENT_ID, _asked(trace.edits), per_job=per_job, partitions=partitions)
    total = len(trace.edits)
    await stage.fill(stage.topics.actions, jobs, what="Filling the topic", total=total)


def _asked(edits: Iterable[Sequence[Patch]]) -> Iterator[tuple[str, dict[str, Any]]]:
    return (("EDIT", {"patches": patches}) for patches in edits)


def _memory(meter: Meter, worker: Worker) -> list[Figure]:
    early = next(sample for sample in meter.samples if sample.share >= _EARLY)
    late = worker.usage()
    return [
        Figure("memory at 20 %", early.usage.rss_bytes / 2**20, "MiB"),
        Figure("memory, most on the way", meter.memory_max() / 2**20, "MiB"),
        Figure("memory at the end", late.rss_bytes / 2**20, "MiB"),
        Figure(
            "memory, end against 20 %", late.rss_bytes / early.usage.rss_bytes, "", "at most 1.2"
        ),
    ]


async def _texts(wire: Wire, trace: Trace) -> list[Figure]:
    """The text, and the text as it was at three revisions. MeasurementFailed when one is wrong."""
    last = len(trace.edits) - 1
    indexes = sorted({last // 4, last // 2, last * 3 // 4})
    expected = texts_at(trace.edits, indexes)
    took_ms = await _compare(wire, "", trace.end)
    figures = [Figure("read of the newest text, as published", took_ms, "ms")]
    for index in indexes:
        took_ms = await _compare(wire, f"?at={SCOPE}:{index}", expected[index])
        figures.append(Figure(f"read at {index:,}, as replayed", took_ms, "ms"))
    return figures


async def _compare(wire: Wire, query: str, expected: str) -> float:
    since = perf_counter()
    answer = await wire.get(f"/v1/documents/{DOCUMENT_ID}{query}")
    took_ms = (perf_counter() - since) * 1_000
    if answer.status != 200:
        raise MeasurementFailedError(
            f"a read was answered with {answer.status}: {answer.body.decode()[:500]}"
        )
    content = orjson.loads(answer.body)["state"][SCOPE]["content"]
    if content != expected:
        raise MeasurementFailedError(
            f"the text {query or 'at the end'} has {len(content)} characters and is not the one "
            f"expected, of {len(expected)}"
        )
    return took_ms


async def _growth(stage: Stage) -> list[Figure]:
    written, kept = await _keyframes(stage)
    figures = [
        Figure("keyframes written", written),
        Figure("keyframes kept", kept),
    ]
    for topic in (stage.topics.actions, stage.topics.operations, stage.topics.keyframes):
        taken = stage.bytes_on_disk(topic)
        name = topic.removeprefix(f"{stage.settings.app}.")
        figures.append(
            Figure(f"on the log, {name}", None if taken is None else taken / 2**20, "MiB")
        )
    return figures


async def _keyframes(stage: Stage) -> tuple[int, int]:
    """How many keyframes were ever written, and how many have no tombstone."""
    sources = [
        TopicPartition(stage.topics.keyframes, number)
        for number in range(stage.settings.partitions)
    ]
    ends = await ends_of(stage, sources)
    reader = await stage.log.reader(dict.fromkeys(ends, Offset(0)))
    written, kept = 0, set[bytes]()
    waiting: dict[TopicPartition, int] = dict(ends)
    try:
        while waiting:
            fetched = await reader.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
            for source, batch in fetched.items():
                for record in batch.records:
                    key = record.key or b""
                    if record.value is None:
                        kept.discard(key)
                    else:
                        written += 1
                        kept.add(key)
                if batch.next_offset >= waiting.get(source, 0):
                    waiting.pop(source, None)
    finally:
        await reader.close()
    return written, len(kept)
