"""Decides mutations: one job after the other, all of a job or nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter

from docreactor.agents.asked import Asked, fresh_actions
from docreactor.agents.placement import Placed, Placement
from docreactor.agents.precondition import check_context, check_revision, check_upgrade, is_same
from docreactor.agents.reshuffle import Reshuffle
from docreactor.agents.staging import Staging, StreamStage
from docreactor.agents.stamp import stamp
from docreactor.pipeline.action import (
    DOCUMENT_SCOPE,
    MARKERS,
    UPGRADE_DOCUMENT,
    Action,
)
from docreactor.pipeline.errors import (
    NOT_OF_THE_JOB,
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    ReactorError,
)
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.order import rank
from docreactor.pipeline.timestamp import Microseconds

_NEVER_PLAIN = MARKERS | {UPGRADE_DOCUMENT}
_STRETCH_S = 0.02


class Mutating:
    """Ends mutations in a batch."""

    def __init__(
        self,
        staging: Staging,
        placement: Placement,
        reshuffle: Callable[[], Reshuffle],
        *,
        now_us: Callable[[], Microseconds],
        skew_max_ms: int,
    ) -> None:
        self._staging = staging
        self._placement = placement
        self._new_reshuffle = reshuffle
        self._now_us = now_us
        self._skew_max_ms = skew_max_ms

    async def append(self, asked: Asked) -> bool:
        """End a mutation whose actions only append; False, and nothing done, for any other.

        The loop gets its turn every 20 ms.
        """
        record, job, stage, keys = asked
        assert isinstance(job, Mutation), "loads go elsewhere"
        staging = self._staging
        mark = staging.mark(stage)
        try:
            fresh = fresh_actions(job, keys, staging)
            if fresh:
                _check(job, stage, begins=fresh.get(keys[0]))
                since = perf_counter()
                for key, action in fresh.items():
                    placed = self._plain(key, action, stage, begun=mark.head.next_index)
                    if placed is None:
                        staging.undo(mark)
                        return False
                    if action.context:
                        check_context(action.context, stage)
                    self._placement.append(placed, stage, staging)
                    if perf_counter() - since > _STRETCH_S:
                        await asyncio.sleep(0)
                        since = perf_counter()
        except NOT_OF_THE_JOB:
            raise
        except ReactorError as error:
            staging.undo(mark)
            staging.fail(job, record.offset, error)
        else:
            staging.succeed(job, record.offset)
        return True

    async def reshuffle(self, asked: Asked) -> None:
        """End a mutation that is more than appended, of which `append` has said so."""
        record, job, stage, keys = asked
        assert isinstance(job, Mutation), "loads go elsewhere"
        reshuffle = self._new_reshuffle()
        try:
            placed = self._placed(fresh_actions(job, keys, self._staging), stage, reshuffle)
            if placed:
                await reshuffle.place(placed, stage)
                await reshuffle.check_transitions(stage)
        except NOT_OF_THE_JOB:
            raise
        except ReactorError as error:
            reshuffle.undo()
            self._staging.fail(job, record.offset, error)
        else:
            self._staging.succeed(job, record.offset)

    def _placed(
        self, fresh: dict[bytes, Action], stage: StreamStage, reshuffle: Reshuffle
    ) -> list[Placed]:
        placed: list[Placed] = []
        newest_us = stage.head.latest_us
        for key, action in fresh.items():
            if action.type == UPGRADE_DOCUMENT and stage.stream.scope == DOCUMENT_SCOPE:
                if is_same(action, stage.document):
                    continue
                siblings = reshuffle.siblings(stage)
                check_upgrade(action, stage, siblings)
                newest_us = max([newest_us, *(one.head.latest_us for one in siblings)])
            moment = self._stamp(action, stage, newest_us)
            newest_us = max(newest_us, moment)
            placed.append(Placed(action, moment, key))
        return placed

    def _plain(
        self, key: bytes, action: Action, stage: StreamStage, *, begun: int
    ) -> Placed | None:
        """The action with its time, if it stands behind all that is stored and counts alone.

        `begun` is the stream's next index before the job.
        """
        newest_us = stage.head.latest_us
        if action.type in _NEVER_PLAIN:
            # Where the job creates the document, no other scope can have operations.
            begins = rank(action.scope, action.type, action.input) == 1 and not begun
            if not begins or stage.head.next_index != 1:
                return None
        moment = self._stamp(action, stage, newest_us)
        return Placed(action, moment, key) if moment > newest_us else None

    def _stamp(self, action: Action, stage: StreamStage, newest_us: int) -> Microseconds:
        if action.timestamp is None:
            # What the document is at the time of the action must be what it is now.
            newest_us = max(newest_us, stage.home.head.latest_us)
        return stamp(
            action.timestamp,
            self._now_us(),
            newest_us=newest_us,
            skew_max_ms=self._skew_max_ms,
        )


def _check(job: Mutation, stage: StreamStage, *, begins: Action | None) -> None:
    """What can be refused before anything is reduced; `begins` is its first action if new."""
    for needed in (stage.home, stage):
        if needed.broken is not None:
            raise needed.broken
    document = stage.document
    if begins is not None and rank(job.scope, begins.type, None) == 0:
        # Before its time is looked at, which may well be that of the first creation.
        if document is not None:
            raise DocumentAlreadyExistsError(job.document_id, job.branch)
    elif document is None:
        raise DocumentNotFoundError(job.document_id, job.branch)
    elif document.is_deleted:
        raise DocumentDeletedError(document.id, document.deleted_at)
    check_revision(job, stage)
