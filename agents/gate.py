"""Which jobs of a batch run now, and which are deferred."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docreactor.agents.asked import Asked, check_values
from docreactor.agents.deferral import Deferral, Wait
from docreactor.agents.staging import Staging
from docreactor.pipeline.action import CREATE_DOCUMENT, DOCUMENT_SCOPE
from docreactor.pipeline.deferred import Deferred, deferred_key
from docreactor.pipeline.errors import (
    DependencyTimeoutError,
    InvalidInputError,
    JobCancelledError,
    JobNotCancellableError,
    ReactorError,
    TooManyDeferredError,
)
from docreactor.pipeline.job import Cancellation, Load, Mutation
from docreactor.pipeline.timestamp import Microseconds, render

Refuse = Callable[[Asked, ReactorError], None]
"""Ends a load with an error."""


class Gate:
    """One batch's. `is_watching` is false while nothing but `depends_on` can hold a job.

    A job waits for those that it depends on, and behind any job of its stream that waits; a load
    also for its document. What creates a document passes jobs that wait for nothing but that.
    No more than `count_max` wait at a time: one that would be over it fails.
    """

    def __init__(
        self,
        deferral: Deferral,
        staging: Staging,
        refuse: Refuse,
        resumed: Sequence[Asked] = (),
        *,
        count_max: int,
    ) -> None:
        self._deferral = deferral
        self._staging = staging
        self._refuse = refuse
        self._count_max = count_max
        self._added = 0
        self._resumed = {asked.record.offset for asked in resumed}
        self._ended: set[str] = set()
        self._looked = 0
        self.is_watching = bool(deferral.streams)

    def holds(self, asked: Asked) -> bool:
        """Whether the job does not run now: it is deferred then, or its time is over."""
        waiting = self._waiting(asked)
        # Those that had ended when it was deferred are not looked for again.
        waits_for = asked.job.depends_on if waiting is None else waiting.waits_for
        if waits_for:
            waits_for = tuple(one for one in waits_for if not self._has_ended(one))
        if self._is_behind(asked):
            self._hold(asked, waits_for)
            return True
        if not waits_for:
            return False
        if self._is_late(asked):
            self._staging.fail(asked.job, asked.record.offset, self.timeout(waits_for))
        else:
            self._hold(asked, waits_for)
        return True

    def holds_without_document(self, asked: Asked) -> bool:
        """Whether a load waits for its document: it is deferred then; false when it is late."""
        if self._is_late(asked):
            return False
        self._hold(asked, (), needs_document=True)
        return True

    def timeout(self, waits_for: Sequence[str]) -> ReactorError:
        """Why a job fails whose time is over."""
        return DependencyTimeoutError(waits_for, timeout_ms=self._deferral.timeout_us // 1_000)

    def cancel(self, cancellation: Cancellation, offset: int) -> None:
        """End the job that it names, if that is deferred."""
        staging, job_id = self._staging, cancellation.job_id
        deferred = self._deferred(job_id)
        if deferred is None or deferred.job.document_id != cancellation.document_id:
            staging.fail(cancellation, offset, JobNotCancellableError(job_id))
            return
        staging.deferred.pop(deferred.key, None)
        staging.fail(deferred.job, deferred.offset, JobCancelledError(job_id))
        staging.succeed(cancellation, offset)

    def _deferred(self, job_id: str) -> Deferred | None:
        """The job as it is deferred, in this batch or before and not ended by it."""
        for deferred in self._staging.deferred.values():
            if deferred is not None and deferred.job.id == job_id:
                return deferred
        if self._has_ended_here(job_id):
            return None
        return self._deferral.table.get(job_id)

    def _is_behind(self, asked: Asked) -> bool:
        """Whether a job of its stream waits that it may not pass."""
        stream, offset = asked.stage.stream, asked.record.offset
        for_document = self._staging.held.get(stream)
        if for_document is None:
            first = next(iter(self._deferral.streams.get(stream, ())), offset)
            if first >= offset or first in self._resumed:
                return False
            for_document = self._deferral.is_for_document(stream)
            self._staging.held[stream] = for_document
        return not (for_document and _begins(asked.job))

    def _is_late(self, asked: Asked) -> bool:
        waiting = self._waiting(asked)
        return waiting is not None and waiting.until_us <= self._deferral.now_us()

    def _waiting(self, asked: Asked) -> Wait | None:
        """What a deferred job waits for; None for one that is not, or not yet."""
        offset = asked.record.offset
        if offset not in self._resumed:
            return None
        return self._deferral.streams.get(asked.stage.stream, {}).get(offset)

    def _has_ended(self, job_id: str) -> bool:
        return self._has_ended_here(job_id) or self._deferral.has_ended(job_id)

    def _has_ended_here(self, job_id: str) -> bool:
        ended = self._staging.ended
        self._ended.update(one.job.id for one in ended[self._looked :])
        self._looked = len(ended)
        return job_id in self._ended

    def _hold(
        self, asked: Asked, waits_for: tuple[str, ...], *, needs_document: bool = False
    ) -> None:
        stream, offset = asked.stage.stream, asked.record.offset
        if isinstance(asked.job, Mutation):
            try:
                check_values(asked.job.actions)
            except InvalidInputError as error:
                self._staging.fail(asked.job, offset, error)
                return
        if offset not in self._resumed and self._is_full(asked):
            return
        self._staging.held.setdefault(stream, needs_document)
        self.is_watching = True
        if offset in self._resumed:
            return
        self._added += 1
        self._staging.deferred[deferred_key(stream, offset)] = Deferred(
            job=asked.job,
            offset=offset,
            deferred_at=render(Microseconds(self._deferral.now_us())),
            waits_for=waits_for,
            needs_document=needs_document,
        )

    def _is_full(self, asked: Asked) -> bool:
        """Whether no more jobs may wait: this one has failed then."""
        count = self._deferral.count + self._added
        if count < self._count_max:
            return False
        error = TooManyDeferredError(count=count, count_max=self._count_max)
        if isinstance(asked.job, Load):
            self._refuse(asked, error)
        else:
            self._staging.fail(asked.job, asked.record.offset, error)
        return True


def _begins(job: Mutation | Load) -> bool:
    """Whether the job creates its document."""
    if job.scope != DOCUMENT_SCOPE:
        return False
    if isinstance(job, Mutation):
        return any(action.type == CREATE_DOCUMENT for action in job.actions[:1])
    return any(one.action.type == CREATE_DOCUMENT for one in job.operations)
