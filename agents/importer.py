"""Brings a backup into an empty deployment: every record as it was, in a partition of its own.

Broken off anywhere, it can be run again with the same file: what stands on the log is compared
with the file, and it goes on behind it. Only the last step commits the group's offsets, and
without them no worker starts on half an import.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from docreactor.agents.backup_file import BackupFile, Restored
from docreactor.agents.deployment import transactional_id
from docreactor.agents.log import Entry, Log, LogRecord, TopicPartition, Transactor
from docreactor.agents.sweep import ends_of, partitions_of, sweep
from docreactor.agents.topics import check_topics, create_topics
from docreactor.pipeline.backup import Header
from docreactor.pipeline.errors import DeploymentNotEmptyError, LogError
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics

_RECORDS_AT_ONCE = 2_000
_BYTES_AT_ONCE = 4 * 1024 * 1024
_TELL_EVERY = 1_000
_POLL_S = 0.02

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

    transactor: Transactor
    stored: int
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
    async with _transactors(log, settings) as transactors:
        sources = partitions_of(topics.operations, settings.partitions)
        stored = await _stored(log, settings, sources)
        _check_file(file, settings, stored, progress)
        pending = [
            _Pending(transactor, one.count)
            for transactor, one in zip(transactors, stored, strict=True)
        ]
        await _write(file, sources, pending, progress)
        await _settled(log, settings, sources)
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
async def _transactors(log: Log, settings: Settings) -> AsyncGenerator[list[Transactor]]:
    """The workers' own ids: a worker that starts ends the import, never writes beside it."""
    opened: list[Transactor] = []
    try:
        for partition in range(settings.partitions):
            opened.append(await log.transactor(transactional_id(settings.app, partition)))
        yield opened
    finally:
        for transactor in opened:
            await transactor.close()


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


async def _write(
    file: BackupFile,
    sources: Sequence[TopicPartition],
    pending: Sequence[_Pending],
    progress: Progress,
) -> None:
    total = file.header.records
    for done, record in enumerate(file.records(), 1):
        partition = partition_for(record.document_id, len(pending))
        await _give(sources[partition], pending[partition], record)
        if done % _TELL_EVERY == 0:
            progress("Importing", done / total)
    for source, one in zip(sources, pending, strict=True):
        await _send(source, one)


async def _settled(log: Log, settings: Settings, sources: Sequence[TopicPartition]) -> None:
    """Return when readers see all that was committed, which is a moment later."""
    loop = asyncio.get_running_loop()
    until = loop.time() + settings.broker_timeout_ms / 1_000
    while await ends_of(log, sources) != await log.end_offsets(sources):
        if loop.time() > until:
            raise LogError("what was imported is not to be read yet: run the import again")
        await asyncio.sleep(_POLL_S)


async def _give(source: TopicPartition, pending: _Pending, record: Restored) -> None:
    pending.given += 1
    if pending.given <= pending.stored:
        return
    pending.entries.append(Entry(record.key, record.value))
    pending.size += len(record.key) + len(record.value)
    if len(pending.entries) >= _RECORDS_AT_ONCE or pending.size >= _BYTES_AT_ONCE:
        await _send(source, pending)


async def _send(source: TopicPartition, pending: _Pending) -> None:
    if pending.entries:
        async with pending.transactor.transaction() as transaction:
            await transaction.send({source: pending.entries})
        pending.entries, pending.size = [], 0
