"""The lane of a running partition that shows what was written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.pause import LeftError, Pause
from docreactor.agents.view import ViewAgent
from docreactor.tables.wait import Reached

_LOOK_UP_S = 0.2


class ViewLane:
    """Takes operations from the inbox and applies them to the documents table."""

    def __init__(
        self,
        inbox: Inbox,
        view: ViewAgent,
        pause: Pause,
        *,
        written: Reached,
        viewed: Reached,
        room: Room,
        tell: Callable[[], None],
    ) -> None:
        self._inbox = inbox
        self._view = view
        self._pause = pause
        self._written = written
        self._viewed = viewed
        self._room = room
        self._tell = tell

    async def run(self, leaving: Callable[[], bool]) -> None:
        """Until `leaving` says so; what fails here is of the place and ends the present life."""
        while not leaving():
            fetched = await self._inbox.take(self._room, timeout_s=60.0)
            if fetched is None:
                continue
            try:
                await self._pause.over(
                    partial(
                        self._view.apply,
                        fetched.records,
                        fetched.next_offset,
                        stored=partial(self._stored, leaving),
                    )
                )
            except LeftError:
                return
            self._viewed.advance(fetched.next_offset)
            self._tell()

    async def _stored(self, leaving: Callable[[], bool], next_offset: int) -> None:
        """Wait until the operation store holds what lies below an offset. Left when leaving."""
        while self._written.next_offset < next_offset:
            if leaving():
                raise LeftError
            try:
                await self._written.wait(next_offset, _LOOK_UP_S)
            except TimeoutError:
                continue
