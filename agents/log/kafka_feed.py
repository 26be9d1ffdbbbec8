"""What an aiokafka consumer brings, partition by partition, and how far each has been read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import structlog

from docreactor.agents.log import Fetched, TopicPartition
from docreactor.agents.log.backlog import Backlog
from docreactor.agents.log.clients import Consumer, KafkaPartition
from docreactor.agents.log.failure import (
    RAISED,
    in_our_words,
    is_lasting,
    is_without_position,
    out_of_range,
)
from docreactor.pipeline.errors import OffsetOutOfRangeError
from docreactor.pipeline.position import Offset

# Unpacking a record costs some microseconds, and the loop gets no turn meanwhile.
_RECORDS_AT_ONCE = 2_000
# getmany() sleeps on when only a marker has come, or when a partition is resumed.
_LOOK_S = 0.02
_TROUBLE_MAX_S = 30.0

_log = structlog.get_logger()


@dataclass(slots=True)
class _Source:
    """One partition. `paused` by the user; `held` back in aiokafka, which fetches nothing then."""

    partition: KafkaPartition
    reported: int
    paused: bool
    held: bool
    placed: bool
    backlog: Backlog = field(default_factory=Backlog)


class Feed:
    """Fetches for a Reader or a Member.

    A pause keeps what has arrived: aiokafka's own would throw it away and fetch it again.
    """

    def __init__(self, consumer: Consumer, doing: str) -> None:
        self._consumer = consumer
        self._doing = doing
        self._sources: dict[TopicPartition, _Source] = {}
        self._failing_since: float | None = None

    def begin(self, offsets: Mapping[TopicPartition, Offset], *, paused: bool) -> None:
        """Follow these partitions, which the consumer is assigned; forget all others.

        Paused ones are not fetched before they are resumed: their offset is a placeholder.
        """
        self.end()
        for source, offset in offsets.items():
            partition = KafkaPartition(*source)
            if paused:
                self._consumer.pause(partition)
            self._consumer.seek(partition, offset)
            self._sources[source] = _Source(
                partition, offset, paused=paused, held=paused, placed=not paused
            )

    def end(self) -> None:
        """Follow nothing; what has arrived is forgotten."""
        self._sources.clear()

    def seek(self, source: TopicPartition, offset: Offset) -> None:
        """Read on from there. Nothing happens where the partition is not followed."""
        if state := self._sources.get(source):
            self._consumer.seek(state.partition, offset)
            state.backlog.clear()
            state.reported = offset

    def pause(self, sources: Iterable[TopicPartition]) -> None:
        """Hand out nothing of these."""
        for source in sources:
            if state := self._sources.get(source):
                state.paused = True

    def resume(self, sources: Iterable[TopicPartition]) -> None:
        """Hand out these again."""
        for source in sources:
            if state := self._sources.get(source):
                state.paused = False
                state.placed = True
                self._hold(state, state.backlog.enough)

    async def fetch(self, *, count_max: int, timeout_ms: int) -> Mapping[TopicPartition, Fetched]:
        """As `Reader.fetch`. Passing trouble with the broker is waited out."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_ms / 1000
        # A caller that always finds records must not keep the loop from its turn.
        await asyncio.sleep(0)
        await self._arrive(0.0)
        while not (fetched := await self._take(count_max)):
            left = until - loop.time()
            if left <= 0:
                break
            await self._arrive(min(left, _LOOK_S))
        return fetched

    async def _arrive(self, wait_s: float) -> None:
        try:
            # Without an assignment getmany() waits for one, whatever its own timeout.
            async with asyncio.timeout(wait_s + _LOOK_S):
                arrived = await self._consumer.getmany(
                    timeout_ms=int(wait_s * 1000), max_records=_RECORDS_AT_ONCE
                )
        except RAISED as error:
            await self._wait_out(error)
            return
        self._failing_since = None
        count = 0
        for partition, records in arrived.items():
            count += len(records)
            if state := self._sources.get(TopicPartition(*partition)):
                state.backlog.add(records)
        # While aiokafka has more of what came, holding a partition would throw that away.
        if count < _RECORDS_AT_ONCE:
            for state in self._sources.values():
                self._hold(state, state.backlog.enough or not state.placed)

    async def _take(self, count_max: int) -> Mapping[TopicPartition, Fetched]:
        """What may be handed out, evenly; and where only the position has moved."""
        ready = {source: state for source, state in self._sources.items() if not state.paused}
        waiting = sum(1 for state in ready.values() if state.backlog)
        share = max(1, count_max // (waiting or 1))
        fetched: dict[TopicPartition, Fetched] = {}
        for source, state in ready.items():
            records = state.backlog.take(min(share, count_max))
            count_max -= len(records)
            if not state.backlog:
                reached = await self._consumer.position(state.partition)
            else:
                reached = records[-1].offset + 1 if records else state.reported
            if reached != state.reported:
                state.reported = reached
                fetched[source] = Fetched(records, Offset(reached))
        for source in fetched:
            # Whoever was served goes to the end of the line.
            self._sources[source] = self._sources.pop(source)
        return fetched

    def _hold(self, state: _Source, held: bool) -> None:
        if held and not state.held:
            self._consumer.pause(state.partition)
        elif state.held and not held:
            self._consumer.resume(state.partition)
        state.held = held

    async def _wait_out(self, error: BaseException) -> None:
        """Return when it may pass: the group, a leader or the broker moves."""
        if isinstance(error, TimeoutError) or is_without_position(error):
            return
        if position := out_of_range(error):
            raise OffsetOutOfRangeError(*position[0], position[1]) from error
        now = asyncio.get_running_loop().time()
        since = self._failing_since = self._failing_since or now
        if is_lasting(error) or now - since > _TROUBLE_MAX_S:
            raise in_our_words(error, self._doing) from error
        _log.warning("fetching failed and goes on", doing=self._doing, error=repr(error))
        await asyncio.sleep(5 * _LOOK_S)
