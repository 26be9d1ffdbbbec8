"""The jobs of a batch, and what of them is new."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from docreactor.agents.asked import Asked, decode, fresh_actions, fresh_operations, look_up
from docreactor.agents.staging import Known, Staging
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import (
    ActionIdConflictError,
    InvalidInputError,
    UndecodableRecordError,
)
from docreactor.pipeline.job import Cancellation, Erasure, Job, Load, Mutation
from docreactor.tables.operations import action_key
from tests.support.notation import Told, action, at, told
from tests.support.replicas import HOME, MAIN, SOURCE, Record


def _decoded(replica: Told, *values: bytes) -> tuple[list[Asked], Staging]:
    staging = Staging(replica.tables.keyframes.stage())
    records: list[Any] = [Record(7 + n, b"d1", value) for n, value in enumerate(values)]
    return decode(records, SOURCE, staging), staging


def _bytes(*jobs: Job) -> list[bytes]:
    return [encode(job.json) for job in jobs]


async def test_every_job_comes_with_its_record_its_stream_and_its_keys() -> None:
    replica = await told()
    jobs: list[Job] = [
        replica.mutation(MAIN, [action("A"), action("B")]),
        replica.brought("C@1"),
    ]
    asked, staging = _decoded(replica, *_bytes(*jobs))
    assert [one.job for one in asked] == jobs
    assert [one.record.offset for one in asked] == [7, 8]
    assert asked[0].keys == [action_key(MAIN, "A"), action_key(MAIN, "B")]
    assert asked[0].stage is asked[1].stage is staging.streams[MAIN]
    assert asked[0].stage.home is staging.streams[HOME]


@pytest.mark.parametrize("value", [b"", b"{}", b'{"kind":"another"}', b"\xff"])
async def test_what_is_no_job_goes_to_the_dead_letters_and_holds_up_nobody(value: bytes) -> None:
    replica = await told()
    asked, staging = _decoded(replica, value, *_bytes(replica.brought("C@1")))
    assert [one.record.offset for one in asked] == [8]
    (letter,) = staging.dead_letters
    assert letter.value == value
    assert dict(letter.headers)["cause"] == UndecodableRecordError.name().encode()


@pytest.mark.parametrize("name", ["", "a/b", ".."])
async def test_a_job_that_no_key_could_carry_ends_here(name: str) -> None:
    replica = await told()
    jobs: list[Job] = [
        replica.mutation(MAIN, [action(name)]),
        replica.brought(f"{name}@1"),
        replica.mutation(MAIN, [action("A", scope="local")]),
    ]
    asked, staging = _decoded(replica, *_bytes(*jobs))
    assert asked == []
    errors = [None if one.error is None else one.error.name() for one in staging.ended]
    assert errors == ["InvalidInput"] * 3
    assert len(staging.dead_letters) == 1, "the load is kept"


@pytest.mark.parametrize("name", ["", "d1/global", ".."])
async def test_a_cancellation_whose_document_no_key_could_carry_ends_here(name: str) -> None:
    replica = await told()
    asked, staging = _decoded(replica, *_bytes(Cancellation("c-0", name, "j-0")))
    assert (asked, staging.cancellations) == ([], [])
    (ended,) = staging.ended
    assert (ended.job.id, ended.offset) == ("c-0", 7)
    assert isinstance(ended.error, InvalidInputError)
    assert ended.error.facts["field"] == "document_id"


async def test_what_is_about_no_stream_is_no_job_of_one() -> None:
    replica = await told()
    others = _bytes(Erasure("e-0", "d1"), Cancellation("c-0", "d1", "j-0"))
    asked, staging = _decoded(replica, *others)
    assert (asked, staging.dead_letters) == ([], [])
    assert [(job.id, offset) for job, offset in staging.cancellations] == [("c-0", 8)]


@pytest.mark.parametrize("is_warm", [True, False])
async def test_what_a_job_builds_on_is_looked_up_cached_or_not(is_warm: bool) -> None:
    replica = await told("A@1", "B@2")
    if not is_warm:
        replica.tables.cache.clear()
    asked, staging = _decoded(replica, *_bytes(replica.mutation(MAIN, [action("B")])))
    await look_up(asked, staging, replica.tables)
    stage = asked[0].stage
    assert stage.head.next_index == 2
    assert stage.state is not None
    assert stage.state.state == {"words": ["A", "B"]}
    assert stage.document is not None
    known = staging.known[action_key(MAIN, "B")]
    assert (known.timestamp, known.action and known.action.id) == (at(2), "B")


async def test_an_id_of_another_scope_stands_for_no_action_here() -> None:
    replica = await told("A@1")
    local = MAIN._replace(scope="local")
    job = replica.mutation(local, [action("A", scope="local")])
    asked, staging = _decoded(replica, *_bytes(job))
    await look_up(asked, staging, replica.tables)
    assert staging.known[action_key(local, "A")] == Known(None, None)
    with pytest.raises(ActionIdConflictError):
        fresh_actions(job, asked[0].keys, staging)


async def _looked_up(replica: Told, job: Mutation | Load) -> tuple[list[bytes], Staging]:
    asked, staging = _decoded(replica, *_bytes(job))
    await look_up(asked, staging, replica.tables)
    return asked[0].keys, staging


async def test_of_a_mutation_that_is_new_which_is_not_stored() -> None:
    replica = await told("A@1")
    job = replica.mutation(MAIN, [action(name) for name in ("A", "B", "B", "C")])
    fresh = fresh_actions(job, *await _looked_up(replica, job))
    assert [one.id for one in fresh.values()] == ["B", "C"]
    assert list(fresh) == [action_key(MAIN, "B"), action_key(MAIN, "C")]


@pytest.mark.parametrize(
    "other",
    [
        action("A", input={"word": "another"}),
        action("A", "SET_NAME", input={"name": "A"}),
        action("A@2"),
    ],
)
async def test_a_known_id_with_other_content_is_a_conflict(other: Action) -> None:
    replica = await told("A@1")
    job = replica.mutation(MAIN, [other])
    looked_up = await _looked_up(replica, job)
    with pytest.raises(ActionIdConflictError):
        fresh_actions(job, *looked_up)


async def test_an_id_twice_in_one_job_with_other_content_is_a_conflict() -> None:
    replica = await told()
    job = replica.mutation(MAIN, [action("A"), action("A", input={"word": "another"})])
    looked_up = await _looked_up(replica, job)
    with pytest.raises(ActionIdConflictError):
        fresh_actions(job, *looked_up)


async def test_of_a_load_that_is_new_which_neither_is_stored_nor_came_in_another() -> None:
    replica = await told("A@1")
    job = replace(replica.brought("A@1", "B@2", "B@2", "C@3"), source="there")
    keys, staging = await _looked_up(replica, job)
    others = fresh_operations(replica.brought("B@2"), keys[1:2], staging, {})
    fresh = fresh_operations(job, keys, staging, others)
    (placed,) = fresh.values()
    assert (placed.action.id, placed.source, placed.incoming) == ("C", "there", job.operations[-1])


async def test_loads_that_differ_about_one_id_are_a_conflict() -> None:
    replica = await told()
    job = replica.brought("B@3")
    keys, staging = await _looked_up(replica, job)
    others = fresh_operations(replica.brought("B@2"), keys, staging, {})
    with pytest.raises(ActionIdConflictError):
        fresh_operations(job, keys, staging, others)
