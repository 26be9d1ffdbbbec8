"""One subscriber's way through the events: first what it has missed, then what comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, Protocol

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.cursor import Cursor
from docreactor.gateway.events.ground import Ground
from docreactor.gateway.events.mailbox import Letter, Mailbox
from docreactor.gateway.events.notice import Notice
from docreactor.gateway.events.parents import Parents
from docreactor.gateway.events.past import Past
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import NotYetVisibleError, RestoringError
from docreactor.pipeline.position import Offset

_AT_ONCE = 500
_LOOK_S = 0.2


class Ending(Enum):
    """Why nothing more is told. The cursor says where to go on."""

    OVERFLOW = "more came than could be sent; go on from this id"
    STOPPING = "this node stops; ask again, with the last id"
    LOST = "the log cannot be read here at the moment; ask again, with the last id"


class Told(NamedTuple):
    """An event, and the cursor of whoever has seen it."""

    notice: Notice
    cursor: str


class Present(Protocol):
    """Who tells of what comes."""

    @property
    def published(self) -> Mapping[TopicPartition, Offset]:
        """Up to where it has told."""
        ...

    def attach(self, subscription: Subscription) -> None:
        """Offer every batch beyond to this one too."""
        ...


class Subscription:
    """Takes no more than its mailbox holds, and is told when that was too little."""

    def __init__(
        self, wish: Wish, cursor: Cursor, *, ground: Ground, parents: Parents, events_max: int
    ) -> None:
        self.wish = wish
        self.cursor = cursor
        self._ground = ground
        self._parents = parents
        self._events_max = events_max
        self._mailbox = Mailbox(events_max)
        self._undecided: deque[Letter] = deque()
        self._ending: Ending | None = None
        self._past: Past | None = None
        self._present: Present | None = None
        self._is_attached = False

    @property
    def ending(self) -> Ending | None:
        """Why it has ended; what had been put into the mailbox is taken before an overflow."""
        if self._ending is Ending.OVERFLOW and (self._past or not self._mailbox.is_empty):
            return None
        return self._ending

    def end(self, ending: Ending) -> None:
        """Tell nothing more. The first reason stays."""
        self._ending = self._ending or ending
        self._mailbox.wake()

    def begin(self, present: Present) -> None:
        """Be told from now on, by this one as soon as nothing has been missed."""
        self._present = present
        if not self._behind(present):
            self._attach(present)

    def offer(self, batch: Batch, wanted: list[int]) -> bool:
        """Put these events into the mailbox; False when there is no room, which ends it."""
        done = self.cursor[batch.source].done
        if batch.end <= done:
            return True
        left = [at for at in wanted if batch.notices[at].offset >= done]
        if self._mailbox.put(batch, left):
            return True
        self.end(Ending.OVERFLOW)
        return False

    async def take(self, timeout_s: float) -> list[Told]:
        """What is to be told next, or nothing after so long or once it has ended."""
        if self.ending is not None:
            return []
        if not self._undecided:
            self._undecided.extend(await self._letters(timeout_s))
            # Whoever waited has used up the time.
            timeout_s = _LOOK_S
        return await self._decide(timeout_s)

    async def close(self) -> None:
        """Let go of what was opened for it."""
        if self._past is not None:
            await self._past.close()

    def _behind(self, present: Present) -> dict[TopicPartition, Offset]:
        """What it has missed: up to where, of each partition."""
        return {
            source: offset
            for source, offset in present.published.items()
            if self.cursor[source].done < offset
        }

    def _attach(self, present: Present) -> None:
        present.attach(self)
        self._is_attached = True

    async def _letters(self, timeout_s: float) -> list[Letter]:
        present = self._present
        if self._past is None and not self._is_attached:
            self._past = await Past.open(self._ground, self.cursor)
        if self._past is None or present is None:
            return await self._mailbox.take(_AT_ONCE, timeout_s)
        if self._past.is_done:
            if self._is_attached:
                await self._past.close()
                self._past = None
                return []
            self._aim(self._past, present)
        batch = await self._past.take(min(timeout_s, _LOOK_S))
        if batch is None:
            return []
        done = self.cursor[batch.source].done
        letters = [
            Letter(batch, at)
            for at, notice in enumerate(batch.notices)
            if notice.offset >= done and self.wish.admits(notice)
        ]
        return [*letters, Letter(batch, None)]

    def _aim(self, past: Past, present: Present) -> None:
        """Read up to where the others are; once that is near, be told what comes meanwhile."""
        behind = self._behind(present)
        distance = sum(offset - self.cursor[source].done for source, offset in behind.items())
        if distance <= self._events_max // 2:
            self._attach(present)
        past.aim(self.cursor, behind)

    async def _decide(self, timeout_s: float) -> list[Told]:
        """The letters whose events are wanted; all wait while the graph cannot say."""
        asked = [
            letter.batch.notices[letter.at]
            for letter in self._undecided
            if letter.at is not None
            and self.wish.asks_for_parents_of(letter.batch.notices[letter.at])
        ]
        refused: set[int] = set()
        if asked:
            try:
                admitted = await self._parents.admit(self.wish, asked, timeout_s)
            except RestoringError:
                await asyncio.sleep(timeout_s)
                return []
            except NotYetVisibleError:
                return []
            refused = {id(notice) for notice, yes in zip(asked, admitted, strict=True) if not yes}
        told: list[Told] = []
        for batch, at in self._undecided:
            if at is None:
                self.cursor.pass_by(batch.source, batch.end)
                continue
            self.cursor.tell(batch, at)
            notice = batch.notices[at]
            if id(notice) not in refused:
                told.append(Told(notice, self.cursor.text))
        self._undecided.clear()
        return told
