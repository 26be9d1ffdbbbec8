"""Decides loads: those of one stream in one go."""

from __future__ import annotations

from collections.abc import Callable, Collection

from docreactor.agents.asked import Asked, fresh_operations
from docreactor.agents.placement import Placed
from docreactor.agents.reshuffle import Reshuffle
from docreactor.agents.staging import Staging, StreamStage
from docreactor.pipeline.document import apply_system
from docreactor.pipeline.errors import NOT_OF_THE_JOB, DocumentNotFoundError, ReactorError
from docreactor.pipeline.job import Load
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.order import rank
from docreactor.pipeline.timestamp import render

Refuse = Callable[[Asked, ReactorError], None]
"""Ends a load with an error."""


class Loading:
    """The loads of one batch that wait for others of their stream."""

    def __init__(
        self, staging: Staging, reshuffle: Callable[[], Reshuffle], refuse: Refuse
    ) -> None:
        self._staging = staging
        self._reshuffle = reshuffle
        self._refuse = refuse
        self._waiting: dict[Stream, list[Asked]] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether any load waits."""
        return bool(self._waiting)

    async def add(self, asked: Asked) -> None:
        """Put a load to those of its stream; what the document is comes before the rest."""
        stream = asked.stage.stream
        if stream == stream.home:
            for other in [one for one in self._waiting if one != stream and one.home == stream]:
                await self._place(self._waiting.pop(other))
        elif stream.home in self._waiting:
            await self._place(self._waiting.pop(stream.home))
        self._waiting.setdefault(stream, []).append(asked)

    async def place(self, document_id: str | None = None) -> None:
        """Place what waits, of one document or of every one."""
        streams = [one for one in self._waiting if document_id in (None, one.document_id)]
        for stream in streams:
            await self._place(self._waiting.pop(stream))

    async def _place(self, together: list[Asked]) -> None:
        """Place loads of one stream in one go; when that fails, one by one."""
        stage, staging = together[0].stage, self._staging
        fresh: dict[bytes, Placed] = {}
        accepted: list[Asked] = []
        for asked in together:
            assert isinstance(asked.job, Load), "only loads wait here"
            try:
                fresh |= fresh_operations(asked.job, asked.keys, staging, fresh)
            except ReactorError as error:
                self._refuse(asked, error)
            else:
                accepted.append(asked)
        reshuffle = self._reshuffle()
        try:
            if fresh:
                _check(stage, fresh.values())
                await reshuffle.place(list(fresh.values()), stage)
        except NOT_OF_THE_JOB:
            raise
        except ReactorError as error:
            reshuffle.undo()
            if len(accepted) == 1:
                self._refuse(accepted[0], error)
                return
            for asked in accepted:
                await self._place([asked])
        else:
            for asked in accepted:
                staging.succeed(asked.job, asked.record.offset)


def _check(stage: StreamStage, fresh: Collection[Placed]) -> None:
    for needed in (stage.home, stage):
        if needed.broken is not None:
            raise needed.broken
    creations = [one for one in fresh if rank(one.action.scope, one.action.type, None) == 0]
    if stage.home is stage:
        for action, moment, *_ in creations:
            # One that could be none on any replica would leave nothing to store it in.
            apply_system(None, action.type, action.input, render(moment), stage.stream)
    if stage.document is None and not (creations and stage.home is stage):
        raise DocumentNotFoundError(stage.stream.document_id, stage.stream.branch)
