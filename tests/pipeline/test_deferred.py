"""A deferred job travels with what it waits for."""

from __future__ import annotations

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.deferred import Deferred, deferred_key, parse_deferred_key
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.job import Erasure, Incoming, Load, Mutation
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import StoredAction

STREAM = Stream("d1", "global", "main")
AT = "2024-01-01T00:00:00.000000Z"
MUTATION = Mutation(
    id="j1-0",
    document_id="d1",
    branch="main",
    scope="global",
    actions=(Action(id="a1", type="ADD", scope="global", input={"amount": 1}),),
    expected_revision=4,
    depends_on=("j0-1",),
)
LOAD = Load(
    id="j1-0",
    document_id="d1",
    branch="main",
    scope="global",
    operations=(
        Incoming(
            action=StoredAction(
                id="a1", type="ADD", scope="global", timestamp=AT, input=None, context=None
            ),
            index=3,
        ),
    ),
    source="elsewhere",
)


@pytest.mark.parametrize("job", [MUTATION, LOAD])
def test_a_job_comes_back_as_it_was_deferred(job: Mutation | Load) -> None:
    deferred = Deferred(job=job, offset=7, deferred_at=AT, waits_for=("j0-1",), needs_document=True)

    assert Deferred.decode(encode(deferred.json)) == deferred
    assert deferred.stream == STREAM
    assert parse_deferred_key(deferred.key) == (STREAM, 7)


def test_keys_sort_as_offsets_do() -> None:
    offsets = [0, 9, 10, 10**10, 2**63 - 1]

    assert sorted(deferred_key(STREAM, offset) for offset in reversed(offsets)) == [
        deferred_key(STREAM, offset) for offset in offsets
    ]


def test_no_other_kind_of_job_waits() -> None:
    erasure = Erasure(id="j1-0", document_id="d1")
    content = {"job": erasure.json, "offset": 1, "deferred_at": AT}

    with pytest.raises(UndecodableRecordError, match="erasure"):
        Deferred.decode(encode(content))
