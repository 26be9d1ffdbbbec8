"""The lane of a running partition that keeps one generation of one read model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Protocol, TypeVar

import structlog

from docreactor.agents.background import Background
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Room
from docreactor.agents.lane_chores import LaneChores
from docreactor.agents.log import Fetched, Isolation, Log, LogRecord
from docreactor.agents.pause import LeftError, Pause
from docreactor.agents.projection import Projection
from docreactor.agents.restore import FETCH_COUNT, FETCH_MS
from docreactor.pipeline.errors import (
    FencedError,
    ReactorError,
    RestoringError,
    RowsLostError,
)
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

_log = structlog.get_logger(__name__)

_NEAR_RECORDS = 2_000
_BACKOFF_FIRST_S = 0.1
_BACKOFF_MAX_S = 5.0
_LOOK_UP_S = 0.2
_IDLE_S = 60.0
_GENTLE_RECORDS = 100

_Result = TypeVar("_Result")


class Watch(Protocol):
    """Who is told how a lane fares."""

    def failed(self, error: ReactorError | OSError | None) -> None:
        """What keeps it from going on, or None when it goes on."""
        ...

    def caught_up(self) -> None:
        """It has reached the end of the log for the first time since it was opened."""
        ...

    def progressed(self) -> None:
        """How much it has read of what it lacked has changed."""
        ...


@dataclass(frozen=True, slots=True)
class Tempo:
    """How much is taken at a time from the feed, and where it waits while others go first.

    One that `holds` slows its partition down to its own pace; another reads by itself then.
    """

    room: Room
    background: Background
    is_gentle: Callable[[], bool]
    holds: bool


class TableLane:
    """Feeds one projection in the order of the log, from wherever its rows stand.

    What it lacks from `start` on it reads by itself; near the end it joins the feed of the group's
    member. A failure of the place is told and tried again for ever; the feed goes on without it.
    """

    def __init__(
        self,
        log: Log,
        feed: Feed,
        projection: Projection,
        ahead: Room,
        *,
        start: Offset,
        stored: Reached,
        reached: Reached,
        tempo: Tempo,
        watch: Watch,
        pause: Callable[[Any], Pause],
    ) -> None:
        self._log = log
        self._feed = feed
        self._projection = projection
        self._inbox = feed.inbox(ahead, holds=tempo.holds)
        self._pause = pause(self._inbox)
        self._start = start
        self._stored_to = stored
        self._reached = reached
        self._tempo = tempo
        self._watch = watch
        self._chores = LaneChores(self._inbox.wake, self._gone)
        self._stopping = False
        self._held_by: ReactorError | OSError | None = None
        self._given = 0
        self._backoff_s = _BACKOFF_FIRST_S
        self.progress = 0.0
        """How much of what it lacked when it was opened has been read, 0 to 1."""
        self.rate = 0.0
        """Records a second of the present catching up."""

    async def run(self) -> None:
        """Until the feed is closed or `stop` is called."""
        try:
            while not self._is_leaving():
                try:
                    await self._live()
                except (FencedError, RowsLostError):
                    raise
                except (ReactorError, OSError) as error:
                    self._held_by = error
                    self._chores.refuse()
                    self._watch.failed(error)
                    _log.warning(
                        "a read model waits",
                        model=self._projection.name,
                        partition=self._feed.source.partition,
                        detail=str(error),
                    )
                    await self._pause.wait(self._backoff_s, None)
                    self._backoff_s = min(_BACKOFF_MAX_S, 2 * self._backoff_s)
        except LeftError:
            pass
        finally:
            self._stopping = True
            self._chores.refuse()
            self._feed.drop(self._inbox)

    def stop(self) -> None:
        """End it after the batch in hand."""
        self._stopping = True
        self._inbox.close()

    async def ask(self, chore: Callable[[], Awaitable[_Result]]) -> _Result:
        """Have it done between two batches; raises what it raises.

        Restoring without a lane, or while the lane is held up: nobody knows for how long.
        """
        if self._is_leaving() or self._held_by is not None:
            raise self._gone()
        return await self._chores.ask(chore)

    def _is_leaving(self) -> bool:
        return self._stopping or self._inbox.is_closed

    async def _live(self) -> None:
        """From opening to the end, or to a failure."""
        try:
            position = max(await self._unless_left(self._projection.open()), self._start)
            if position < self._reached.next_offset:
                raise RowsLostError(self._projection.name, self._feed.source.partition)
            self._held_by = None
            self._reached.advance(position)
            while not self._is_leaving():
                position = await self._catch_up(position)
                self._feed.join(self._inbox)
                if self._feed.position > position:
                    position = await self._read(position, self._feed.position)
                self.progress = 1.0
                self._watch.failed(None)
                self._watch.caught_up()
                self._backoff_s = _BACKOFF_FIRST_S
                position = await self._follow(position)
                self._feed.part(self._inbox)
        finally:
            self._feed.part(self._inbox)
            await self._projection.close()

    async def _follow(self, position: Offset) -> Offset:
        """Apply what the feed brings, until it brings no more; returns the position then."""
        while not self._is_leaving():
            await self._chores.do()
            has_overflown = self._feed.has_overflown(self._inbox)
            wait_s = 0.0 if has_overflown else _IDLE_S
            fetched = await self._inbox.take(self._tempo.room, timeout_s=wait_s)
            if fetched is None and has_overflown:
                break
            if fetched is None or fetched.next_offset <= position:
                continue
            await self._apply(_above(fetched.records, position), fetched.next_offset)
            position = fetched.next_offset
        return position

    async def _catch_up(self, position: Offset) -> Offset:
        """Read until little is left; the end moves meanwhile."""
        while self._feed.position - position > 0:
            source = self._feed.source
            end = (await self._log.end_offsets([source], Isolation.COMMITTED))[source]
            if end <= position:
                break
            is_near = end - position <= _NEAR_RECORDS
            position = await self._read(position, end)
            if is_near:
                break
        return position

    async def _read(self, position: Offset, end: Offset) -> Offset:
        """Apply what lies between by a reader of its own."""
        source, begun, since = self._feed.source, position, perf_counter()
        reader = await self._log.reader({source: position})
        try:
            while position < end:
                is_gentle = self._tempo.is_gentle()
                count = _GENTLE_RECORDS if is_gentle else FETCH_COUNT
                fetched = await self._unless_left(
                    reader.fetch(count_max=count, timeout_ms=FETCH_MS)
                )
                await self._chores.do()
                batch: Fetched | None = fetched.get(source)
                if batch is None:
                    continue
                async with self._tempo.background.piece() if is_gentle else nullcontext():
                    if self._is_leaving():
                        raise LeftError
                    await self._apply(batch.records, batch.next_offset)
                position = batch.next_offset
                self.progress = min(1.0, position / max(1, end))
                self.rate = (position - begun) / max(1e-6, perf_counter() - since)
                self._watch.progressed()
                await asyncio.sleep(0)
        finally:
            await reader.close()
        return position

    async def _apply(self, records: Sequence[LogRecord], next_offset: Offset) -> None:
        if records:
            self._given = records[-1].offset + 1
        await self._pause.over(
            partial(self._projection.apply, records, next_offset, stored=self.stored),
            self._chores.do,
        )
        self._watch.failed(None)
        self._reached.advance(next_offset)

    async def stored(self, next_offset: int) -> None:
        """Wait until the operation store holds what lies below an offset. Left when leaving.

        Behind the last record that was given lie markers only, of which that store knows nothing.
        """
        next_offset = min(next_offset, self._given)
        while self._stored_to.next_offset < next_offset:
            if self._is_leaving():
                raise LeftError
            try:
                await self._stored_to.wait(next_offset, _LOOK_UP_S)
            except TimeoutError:
                continue

    async def _unless_left(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """What it brings, or LeftError as soon as the lane is to end."""
        working = asyncio.ensure_future(work)
        try:
            while not working.done():
                if self._is_leaving():
                    raise LeftError
                await asyncio.wait({working}, timeout=_LOOK_UP_S)
            return working.result()
        finally:
            if not working.done():
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)

    def _gone(self) -> RestoringError:
        state = "on its way elsewhere"
        if self._held_by is not None:
            state = f"held up in {self._projection.name} ({self._held_by})"
        return RestoringError(self._feed.source.partition, state=state)


def _above(records: Sequence[LogRecord], position: Offset) -> Sequence[LogRecord]:
    """Without those that are known already."""
    if not records or records[0].offset >= position:
        return records
    return [record for record in records if record.offset >= position]
