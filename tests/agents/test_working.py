"""The jobs of the batch that is being worked on are known by their ids."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.agents.working import Working
from docreactor.pipeline.job import Erasure, Job


@dataclass(frozen=True)
class Carried:
    job: Job


def test_a_job_is_worked_on_between_the_beginning_and_the_end_of_its_batch() -> None:
    working, job = Working(), Erasure(id="j1-0", document_id="d1")
    assert working.job("j1-0") is None

    working.begin([Carried(job)])
    assert working.job("j1-0") is job
    assert working.job("j2-0") is None

    working.end()
    assert working.job("j1-0") is None
