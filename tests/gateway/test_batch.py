"""A batch becomes jobs in the order in which they are to be enqueued."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.batch import BatchDrafter
from docreactor.gateway.requests import BatchRequest
from docreactor.pipeline.errors import InvalidInputError, UnknownActionError
from docreactor.pipeline.job import Load, Mutation
from docreactor.pipeline.keys import job_partition
from tests.gateway.deployment import Running

ADD = {"type": "ADD_ITEM", "input": {"text": "Milk"}}
LOADED = {
    "action": {
        "id": "a1",
        "type": "ADD_ITEM",
        "scope": "global",
        "timestamp": "2024-01-01T00:00:00Z",
        "input": {"text": "Milk"},
    }
}


def draft(one: Running, *jobs: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    drafter = BatchDrafter(one.node, lambda *_: None)
    return dict(drafter.draft(BatchRequest.model_validate({"jobs": jobs}), key))


async def test_keys_become_job_ids_and_every_job_comes_after_those_it_waits_for(
    one: Running,
) -> None:
    jobs = draft(
        one,
        {"key": "c", "document_id": "d3", "actions": [ADD], "depends_on": ["b", "a", "b"]},
        {"key": "b", "document_id": "d2", "operations": [LOADED], "source": "x"},
        {"key": "a", "document_id": "d1", "actions": [ADD], "branch": "draft"},
    )

    assert list(jobs) == ["b", "a", "c"]
    assert jobs["c"].depends_on == (jobs["b"].id, jobs["a"].id)
    assert isinstance(jobs["b"], Load) and isinstance(jobs["a"], Mutation)
    assert (jobs["b"].source, jobs["a"].branch) == ("x", "draft")
    for job in jobs.values():
        assert job_partition(job.id) == one.node.partition_of(job.document_id)
    assert sorted(job.id for job in jobs.values()) == [job.id for job in jobs.values()]


async def test_with_a_key_action_ids_come_again_and_those_of_two_jobs_differ(
    one: Running,
) -> None:
    asked = [{"key": key, "document_id": "d1", "actions": [ADD]} for key in "ab"]
    first, again, other = (draft(one, *asked, key=key) for key in ("k", "k", "l"))

    def ids(jobs: dict[str, Any]) -> list[str]:
        return [action.id for job in jobs.values() for action in job.actions]

    assert ids(first) == ids(again)
    assert len({*ids(first), *ids(other)}) == 4


async def test_what_is_refused_says_of_which_job(one: Running) -> None:
    fine = {"key": "a", "document_id": "d1", "actions": [ADD]}
    with pytest.raises(InvalidInputError, match=r"jobs\.b\.expected_revision") as caught:
        draft(
            one,
            fine,
            {"key": "b", "document_id": "d2", "operations": [LOADED], "expected_revision": 0},
        )
    assert caught.value.facts["key"] == "b"
    with pytest.raises(UnknownActionError) as unknown:
        draft(
            one, fine, {"key": "b", "document_id": "d2", "actions": [ADD | {"scope": "document"}]}
        )
    assert unknown.value.facts["key"] == "b"
