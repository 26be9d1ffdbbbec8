"""Which jobs of a partition are being worked on at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from docreactor.pipeline.job import Job


class HasJob(Protocol):
    """Whatever a job is carried in."""

    @property
    def job(self) -> Job: ...


class Working:
    """The jobs of the one batch that is being decided or committed. Looked through when asked."""

    __slots__ = ("_batch",)

    def __init__(self) -> None:
        self._batch: Sequence[HasJob] = ()

    def begin(self, batch: Sequence[HasJob]) -> None:
        """These are worked on."""
        self._batch = batch

    def end(self) -> None:
        """None is."""
        self._batch = ()

    def job(self, job_id: str) -> Job | None:
        """The job, if it is worked on."""
        return next((one.job for one in self._batch if one.job.id == job_id), None)
