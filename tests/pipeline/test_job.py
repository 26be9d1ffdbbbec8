"""Work that is asked for, and what became of it."""

from __future__ import annotations

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.job import JobResult, JobStatus, Mutation


def test_a_mutation_is_read_back_from_its_record() -> None:
    mutation = Mutation(
        id="j-0",
        document_id="d1",
        branch="main",
        scope="global",
        actions=(Action(id="a1", type="ADD", scope="global", input=[1]),),
        expected_revision=4,
    )

    assert Mutation.decode(encode(mutation.json)) == mutation


def test_a_job_of_an_unknown_kind_is_no_mutation() -> None:
    with pytest.raises(UndecodableRecordError, match="kind"):
        Mutation.decode(b'{"kind":"other"}')


def test_a_result_is_read_back_and_its_status_is_plain_text() -> None:
    result = JobResult(
        id="j-0",
        document_id="d1",
        scope="global",
        branch="main",
        status=JobStatus.WRITE_READY,
        token="t",
        error=None,
        retry_count=0,
        offset=None,
    )

    assert b'"status":"WRITE_READY"' in encode(result.model_dump())
    assert JobResult.decode(encode(result.model_dump())) == result
