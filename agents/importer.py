"""Brings a backup into an empty deployment: every record as it was, in a partition of its own.

Broken off anywhere, it can be run again with the same file: what stands on the log is compared
with the file, and it goes on behind it. Only the last step commits the group's offsets, and
without them no worker starts on half an import.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from docreactor.agents.backup_file import BackupFile, Restored
from docreactor.agents.deployment import transactional_id
from docreactor.agents.log import Entry, Log, LogRecord, TopicPartition, Transactor
from docreactor.agents.markers import Markers
from docreactor.agents.sweep import ends_of, partitions_of, sweep
from docreactor.agents.topics import check_topics, create_topics
from docreactor.pipeline.backup import Header
from docreactor.pipeline.errors import DeploymentNotEmptyError
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics

_RECORDS_AT_ONCE = 2_000
_BYTES_AT_ONCE = 4 * 1024 * 1024
_TELL_EVERY = 1_000

Progress = Callable[[str, float], None]
"""Hears what is being done, and how much of it is, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What stands on the log. `found` records of it an import before this one had written."""

    header: Header
    log_id: str
    partitions: int
    records: int
    found: int


class _Sum:
    """How many records, and a digest over all of them in order."""

    __slots__ = ("_digest", "count")

    def __init__(self) -> None:
        self.count = 0
        self._digest = sha256()

    def add(self, key: bytes, value: bytes) -> None:
        self.count += 1
        self._digest.update(b"%d %d " % (len(key), len(value)) + key + value)

    def is_like(self, other: _Sum) -> bool:
        return (self.count, self._digest.digest()) == (other.count, other._digest.digest())


@dataclass(slots=True)
class _Pending:
    """What one partition will be written next, and how many records it was given so far."""

    source: TopicPartition
    transactor: Transactor
    markers: Markers
    stored: int = 0
    given: int = 0
    size: int = 0
    entries: list[Entry] = field(default_factory=list[Entry])


async def import_backup(
    log: Log, settings: Settings, path: Path, *, progress: Progress
) -> Imported:
    """Write the file's records, partition by partition in its order; creates missing topics.

    The whole file is checked before anything is written: InvalidBackup names the line.
    DeploymentNotEmpty where a worker has served, or where the log holds anything but the
    beginning of this file. GroupHasMembers while a worker runs; Fenced when one starts.
    """
    file = BackupFile(path)
    await create_topics(log, settings)
    log_id = await check_topics(log, settings)
    topics = Topics(settings.app)
    await _check_unserved(log, settings, topics)
    sources = partitions_of(topics.operations, settings.partitions)
    async with _opened(log, settings, sources) as pending:
        stored = await _stored(log, settings, sources)
        _check_file(file, settings, stored, progress)
        for one, before in zip(pending, stored, strict=True):
            one.stored = before.count
        await _write(file, pending, progress)
        await _check_unserved(log, settings, topics)
    actions = partitions_of(topics.actions, settings.partitions)
    await log.commit(dict.fromkeys(actions, Offset(0)))
    found = sum(one.count for one in stored)
    return Imported(file.header, log_id, settings.partitions, file.header.records, found)


async def _check_unserved(log: Log, settings: Settings, topics: Topics) -> None:
    """A worker's first deed on a partition is to commit an offset."""
    # Setting an offset that nobody reads tells whether the group has members.
    await log.commit({TopicPartition(topics.positions, 0): Offset(0)})
    actions = partitions_of(topics.actions, settings.partitions)
    for source in actions:
        if await log.committed(source) is not None:
            raise DeploymentNotEmptyError(settings.app, "a worker has served it")
    if any((await log.end_offsets(actions)).values()):
        raise DeploymentNotEmptyError(settings.app, "jobs wait on its actions")


@asynccontextmanager
async def _opened(
    log: Log, settings: Settings, sources: Sequence[TopicPartition]
) -> AsyncGenerator[list[_Pending]]:
    """The workers' own ids: a worker that starts ends the import, never writes beside it."""
    opened: list[_Pending] = []
    try:
        for source in sources:
            transactor = await log.transactor(transactional_id(settings.app, source.partition))
            opened.append(_Pending(source, transactor, Markers(log, [source])))
            await _mend(opened[-1])
        yield opened
    finally:
        for one in opened:
            await one.transactor.close()


async def _mend(pending: _Pending) -> None:
    """Abort what an import before has left open: nobody was told of it."""
    if not await pending.markers.missing():
        return
    try:
        async with pending.transactor.transaction() as transaction:
            await pending.markers.watch(transaction).touch([pending.source])
            raise _UndoneError
    except _UndoneError:
        pass
    await pending.markers.settle()


class _UndoneError(Exception):
    """Aborts a transaction from inside."""


async def _stored(log: Log, settings: Settings, sources: Sequence[TopicPartition]) -> list[_Sum]:
    """What the partitions hold already."""
    sums = [_Sum() for _ in sources]

    def look(source: TopicPartition, records: Sequence[LogRecord]) -> None:
        for record in records:
            if record.key is None or record.value is None:
                raise DeploymentNotEmptyError(settings.app, "its operations hold another history")
            sums[source.partition].add(record.key, record.value)

    await sweep(log, await ends_of(log, sources), look, lambda _: None)
    return sums


def _check_file(
    file: BackupFile, settings: Settings, stored: Sequence[_Sum], progress: Progress
) -> None:
    """Every line; and that what is stored is what the file begins with."""
    seen = [_Sum() for _ in stored]
    total = file.header.records
    for done, record in enumerate(file.records(), 1):
        partition = partition_for(record.document_id, settings.partitions)
        if seen[partition].count < stored[partition].count:
            seen[partition].add(record.key, record.value)
        if done % _TELL_EVERY == 0:
            progress("Checking", done / total)
    if not all(mine.is_like(theirs) for mine, theirs in zip(seen, stored, strict=True)):
        raise DeploymentNotEmptyError(settings.app, "its operations are not of this file")


async def _write(file: BackupFile, pending: Sequence[_Pending], progress: Progress) -> None:
    total = file.header.records
    for done, record in enumerate(file.records(), 1):
        partition = partition_for(record.document_id, len(pending))
        await _give(pending[partition], record)
        if done % _TELL_EVERY == 0:
            progress("Importing", done / total)
    for one in pending:
        await _send(one)


async def _give(pending: _Pending, record: Restored) -> None:
    pending.given += 1
    if pending.given <= pending.stored:
        return
    pending.entries.append(Entry(record.key, record.value))
    pending.size += len(record.key) + len(record.value)
    if len(pending.entries) >= _RECORDS_AT_ONCE or pending.size >= _BYTES_AT_ONCE:
        await _send(pending)


async def _send(pending: _Pending) -> None:
    if pending.entries:
        async with pending.transactor.transaction() as transaction:
            await pending.markers.watch(transaction).send({pending.source: pending.entries})
        await pending.markers.settle()
        pending.entries, pending.size = [], 0
