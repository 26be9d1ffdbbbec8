"""The jobs that the measurements submit."""

from __future__ import annotations

from collections import Counter

from docreactor.bench.workload import ITEMS, Draft, Workload, changes, creation, document_id
from docreactor.pipeline.action import CREATE_DOCUMENT, UPGRADE_DOCUMENT
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.inputs import check_base
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import job_partition, partition_for

WORKLOAD = Workload(partitions=3, documents=4)


def test_a_job_is_the_bytes_that_the_gateway_would_append() -> None:
    for job in [*WORKLOAD.creations(), *WORKLOAD.changes(10, per_job=3)]:
        value = job.entry.value or b""
        mutation = Mutation.decode(value)

        assert encode(mutation.json) == value
        assert len(mutation.actions) == job.actions


def test_a_job_goes_to_its_documents_partition_and_its_id_says_so() -> None:
    for job in [*WORKLOAD.creations(), *WORKLOAD.changes(10, per_job=1)]:
        mutation = Mutation.decode(job.entry.value or b"")

        assert job.partition == partition_for(mutation.document_id, 3)
        assert job.partition == job_partition(mutation.id)
        assert job.entry.key == mutation.document_id.encode()


def test_children_are_one_job_of_their_parent() -> None:
    job = Draft(3, seed=1).relation("parent", ["a", "b"])

    mutation = Mutation.decode(job.entry.value or b"")
    assert (mutation.document_id, mutation.scope, job.actions) == ("parent", "document", 2)
    assert [action.input["target_id"] for action in mutation.actions] == ["a", "b"]
    for action in mutation.actions:
        check_base("bench/stock", "document", action.type, action.input)


def test_a_document_is_created_and_upgraded_in_one_job() -> None:
    job = creation("paper", "example/text", 3)

    actions = Mutation.decode(job.entry.value or b"").actions
    assert [action.type for action in actions] == [CREATE_DOCUMENT, UPGRADE_DOCUMENT]


def test_changes_take_the_documents_in_turn_and_the_last_job_takes_the_rest() -> None:
    jobs = list(WORKLOAD.changes(11, per_job=2))

    documents = [Mutation.decode(job.entry.value or b"").document_id for job in jobs]
    assert documents == [document_id(number % 4) for number in range(6)]
    assert [job.actions for job in jobs] == [2, 2, 2, 2, 2, 1]


def test_every_input_has_the_size_that_was_asked_for() -> None:
    workload = Workload(partitions=1, documents=2, input_bytes=200)

    inputs = [
        action.input
        for job in workload.changes(50, per_job=1)
        for action in Mutation.decode(job.entry.value or b"").actions
    ]
    assert {len(encode(input)) for input in inputs} == {200}
    assert len({input["note"] for input in inputs}) == 50


def test_a_document_gets_each_item_in_turn() -> None:
    workload = Workload(partitions=1, documents=2)

    counted = Counter(
        Mutation.decode(job.entry.value or b"").actions[0].input["item"]
        for job in workload.changes(2 * ITEMS, per_job=1)
    )
    assert set(counted.values()) == {2}
    assert len(counted) == ITEMS


def test_the_same_numbers_give_the_same_bytes_and_another_seed_other_ids() -> None:
    again = [list(WORKLOAD.changes(5, per_job=1)) for _ in range(2)]
    other = list(WORKLOAD.changes(5, per_job=1, seed=9))

    assert again[0] == again[1]
    ids = [
        {Mutation.decode(job.entry.value or b"").id for job in jobs} for jobs in (again[0], other)
    ]
    assert not ids[0] & ids[1]


def test_one_documents_changes_keep_their_order() -> None:
    asked = (("EDIT", {"number": number}) for number in range(5))

    jobs = list(changes("paper", asked, per_job=2, partitions=3))

    inputs = [
        action.input["number"]
        for job in jobs
        for action in Mutation.decode(job.entry.value or b"").actions
    ]
    assert inputs == [0, 1, 2, 3, 4]
    assert [job.actions for job in jobs] == [2, 2, 1]
