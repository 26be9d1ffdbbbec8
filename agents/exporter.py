"""Writes the operation store of a deployment, as far as it stands now, into a backup file."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from docreactor.agents.clock import Clock
from docreactor.agents.log import Log, LogRecord, TopicPartition
from docreactor.agents.sweep import Ends, ends_of, partitions_of, sweep
from docreactor.agents.topics import check_topics
from docreactor.pipeline.accepted import Accepted, accepted_document
from docreactor.pipeline.backup import (
    FORMAT,
    KIND,
    Header,
    accepted_line,
    erased_line,
    header_line,
    operation_line,
)
from docreactor.pipeline.erased import Erased, erased_document
from docreactor.pipeline.errors import (
    ExportOvertakenError,
    TopicsMissingError,
    UndecodableRecordError,
)
from docreactor.pipeline.keys import parse_record_key
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.record import check_format
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import render
from docreactor.pipeline.topics import Topics

_GZIP_LEVEL = 6
_BEING_WRITTEN = ".part"

Progress = Callable[[str, float], None]
"""Hears what is being done, and how much of it is, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote. `left_out` counts records that are no operations."""

    header: Header
    left_out: int


@dataclass(slots=True)
class _Census:
    """What the log holds: counted first, because a file's header says what follows."""

    models: dict[str, int] = field(default_factory=dict[str, int])
    erased: dict[str, Erased] = field(default_factory=dict[str, Erased])
    accepted: dict[str, Accepted] = field(default_factory=dict[str, Accepted])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    left_out: int = 0

    def look(self, source: TopicPartition, records: Sequence[LogRecord]) -> None:
        """Count these."""
        for record in records:
            key, value = record.key or b"", record.value
            accepted = accepted_document(key)
            if value is None:
                if accepted is not None:
                    self.accepted.pop(accepted, None)
                continue
            where = f"{source.topic}-{source.partition} {record.offset}"
            check_format(record.headers, where)
            if accepted is not None:
                self.accepted[accepted] = Accepted.decode(value)
                continue
            document_id = erased_document(key)
            if document_id is not None:
                self.accepted.pop(document_id, None)
                self.erased[document_id] = Erased.decode(value)
                continue
            operation = _operation(key, value)
            if operation is None:
                self.left_out += 1
                continue
            document_id = key[: key.index(b"/")].decode()
            self.counts[document_id] = self.counts.get(document_id, 0) + 1
            known = self.models.get(operation.document_type, 0)
            self.models[operation.document_type] = max(known, operation.version)

    @property
    def operations(self) -> int:
        """How many are exported."""
        counted = self.counts.items()
        return sum(count for document_id, count in counted if document_id not in self.erased)


async def export(
    log: Log, settings: Settings, path: Path, *, clock: Clock, progress: Progress
) -> Exported:
    """Write what is committed now; the deployment may serve meanwhile, and goes on writing.

    An erased document is left out but for its record. The file appears when it is complete.
    TopicsMissing without the topics; ExportOvertaken when erasing and compaction came in between.
    """
    topic = Topics(settings.app).operations
    described = await log.describe([topic])
    if not described:
        raise TopicsMissingError([topic])
    count = described[0].partition_count
    log_id = await check_topics(log, settings.model_copy(update={"partitions": count}))
    ends = await ends_of(log, partitions_of(topic, count))
    census = _Census()
    await sweep(log, ends, census.look, lambda done: progress("Counting", done))
    header = Header(
        kind=KIND,
        format=FORMAT,
        app=settings.app,
        log_id=log_id,
        partitions=count,
        models=dict(sorted(census.models.items())),
        operations=census.operations,
        erased=len(census.erased),
        accepted=len(census.accepted),
        exported_at=render(clock.now_us()),
    )
    with _new_file(path) as file:
        file.write(header_line(header))
        written = await _write(log, ends, census, file, progress)
        if written != header.operations:
            raise ExportOvertakenError(expected=header.operations, actual=written)
    return Exported(header, census.left_out)


async def _write(log: Log, ends: Ends, census: _Census, file: IO[bytes], progress: Progress) -> int:
    count = 0

    def look(_: TopicPartition, records: Sequence[LogRecord]) -> None:
        nonlocal count
        lines: list[bytes] = []
        for record in records:
            key, value = record.key or b"", record.value
            if value is None or _operation(key, value) is None:
                continue
            stream = parse_record_key(key)[0]
            if stream.document_id not in census.erased:
                lines.append(operation_line(stream, value))
        file.writelines(lines)
        count += len(lines)

    await sweep(log, ends, look, lambda done: progress("Exporting", done))
    file.writelines(erased_line(one) for one in census.erased.values())
    file.writelines(accepted_line(one) for one in census.accepted.values())
    return count


def _operation(key: bytes, value: bytes) -> Operation | None:
    """What a record says, None where it is no operation or would break the file's lines."""
    try:
        parse_record_key(key)
        operation = Operation.decode(value)
    except (UndecodableRecordError, ValueError):
        return None
    return None if b"\n" in value else operation


@contextmanager
def _new_file(path: Path) -> Generator[IO[bytes]]:
    """A file that takes its place when the block has ended well, and leaves nothing otherwise."""
    part = path.with_name(path.name + _BEING_WRITTEN)
    try:
        with part.open("wb") as whole:
            if path.suffix == ".gz":
                with gzip.open(whole, "wb", compresslevel=_GZIP_LEVEL) as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield whole
            whole.flush()
            os.fsync(whole.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
