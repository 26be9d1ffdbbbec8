"""How far the group has come in `actions`, shown and set by hand."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.agents.log import Log, TopicPartition
from docreactor.pipeline.errors import InvalidInputError, TopicsMissingError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics


@dataclass(frozen=True, slots=True)
class PartitionOffsets:
    """One partition of `actions`; `committed` is None where nothing was ever reduced."""

    partition: int
    committed: Offset | None
    start: Offset
    end: Offset

    @property
    def lag(self) -> int:
        """How many offsets lie between what was reduced and the end, markers included."""
        return self.end - (self.start if self.committed is None else self.committed)


async def show_offsets(log: Log, settings: Settings) -> list[PartitionOffsets]:
    """Every partition's, in order. TopicsMissing without the topic."""
    sources = await _partitions(log, settings)
    starts = await log.start_offsets(sources)
    ends = await log.end_offsets(sources)
    return [
        PartitionOffsets(
            source.partition, await log.committed(source), starts[source], ends[source]
        )
        for source in sources
    ]


async def set_offset(log: Log, settings: Settings, *, partition: int, to: int) -> None:
    """Let the group go on from there.

    GroupHasMembers while a worker runs; InvalidInput where the log holds no such offset.
    """
    sources = await _partitions(log, settings)
    if not 0 <= partition < len(sources):
        raise InvalidInputError("partition", f"must be from 0 to {len(sources) - 1}")
    source = sources[partition]
    start = (await log.start_offsets([source]))[source]
    end = (await log.end_offsets([source]))[source]
    if not start <= to <= end:
        raise InvalidInputError("to", f"must be from {start} to {end}")
    await log.commit({source: Offset(to)})


async def _partitions(log: Log, settings: Settings) -> list[TopicPartition]:
    name = Topics(settings.app).actions
    described = await log.describe([name])
    if not described:
        raise TopicsMissingError([name])
    return [TopicPartition(name, number) for number in range(described[0].partition_count)]
