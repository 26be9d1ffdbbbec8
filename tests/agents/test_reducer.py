"""Decides a batch of jobs: what is accepted, refused and stored."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from pydantic import BaseModel

from docreactor.agents.node import Node
from docreactor.pipeline.canonical import digest
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.problem import problem_name
from docreactor.pipeline.state import State
from docreactor.pipeline.timestamp import parse
from tests.support.nodes import Site, done, live, operations, site, total

ADD = "ADD"


def _error(result: JobResult) -> str:
    assert result.status is JobStatus.FAILED
    assert result.error is not None
    return problem_name(result.error)


async def _created(place: Site, node: Node, document_id: str = "d1", **given: Any) -> None:
    result = await done(node, place.creation(document_id, **given))
    assert result.status is JobStatus.READ_READY, result.error


async def test_a_new_document_holds_its_creation_at_0_and_its_upgrade_at_1() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        assert [one.action.type for one in operations(node, "d1", "document")] == [
            "CREATE_DOCUMENT",
            "UPGRADE_DOCUMENT",
        ]
        header = live(node).documents.header("d1", "main")
        assert header is not None
        assert header.revision == {"document": 2}
        assert header.document.version == 1


async def test_actions_of_one_job_take_consecutive_indexes() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": n}) for n in (1, 2, 3)]))
        assert [one.index for one in operations(node, "d1")] == [0, 1, 2]
        assert await total(node, "d1") == 6


async def test_scopes_and_branches_are_numbered_on_their_own() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await _created(place, node, branch="draft")
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        await done(node, place.job("d1", [(ADD, {"amount": 5})], scope="local"))
        await done(node, place.job("d1", [(ADD, {"amount": 9})], branch="draft"))
        assert [one.index for one in operations(node, "d1")] == [0]
        assert [one.index for one in operations(node, "d1", "local")] == [0]
        draft = live(node).documents.document("d1", "draft")
        assert draft is not None
        assert draft.state["global"]["total"] == 9


async def test_a_known_action_is_stored_once_and_answers_the_first_result() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        job = place.job("d1", [(ADD, {"amount": 4})], ids=["once"])
        first = await done(node, job)
        again = await done(node, place.job("d1", [(ADD, {"amount": 4})], ids=["once"]))
        assert again.status is JobStatus.READ_READY
        assert again.token >= first.token
        assert [one.action.id for one in operations(node, "d1")] == ["once"]


async def test_of_a_job_that_is_partly_known_the_rest_is_applied() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": 4})], ids=["one"]))
        both = [(ADD, {"amount": 4}), (ADD, {"amount": 5})]
        await done(node, place.job("d1", both, ids=["one", "two"]))
        assert [one.action.id for one in operations(node, "d1")] == ["one", "two"]


@pytest.mark.parametrize("waiting", [True, False])
async def test_a_known_id_with_other_content_is_a_conflict(waiting: bool) -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        first = place.job("d1", [(ADD, {"amount": 4})], ids=["one"])
        second = place.job("d1", [(ADD, {"amount": 5})], ids=["one"])
        if waiting:
            await done(node, first)
            result = await done(node, second)
        else:
            _, result = await asyncio.gather(done(node, first), done(node, second))
        assert _error(result) == "ActionIdConflict"
        assert await total(node, "d1") == 4


@pytest.mark.parametrize("waiting", [True, False])
async def test_an_id_that_another_scope_knows_is_a_conflict(waiting: bool) -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        first = place.job("d1", [(ADD, {"amount": 4})], ids=["one"])
        second = place.job("d1", [(ADD, {"amount": 4})], ids=["one"], scope="local")
        if waiting:
            await done(node, first)
            result = await done(node, second)
        else:
            _, result = await asyncio.gather(done(node, first), done(node, second))
        assert _error(result) == "ActionIdConflict"
        assert operations(node, "d1", "local") == []


async def test_a_repeat_stands_beside_the_same_id_in_another_scope() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": 4})], ids=["one"]))
        jobs = [
            place.job("d1", [(ADD, {"amount": 4})], ids=["one"], scope=scope)
            for scope in ("local", "global", "local")
        ]
        await place.enqueue(*jobs)
        await done(node, place.job("d1", [(ADD, {"amount": 9})], ids=["after"]))
        results = [live(node).job(job.id) for job in jobs]
        assert [result and result.error is None for result in results] == [False, True, False]


async def test_the_same_id_on_another_branch_is_another_action() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await _created(place, node, branch="draft")
        await done(node, place.job("d1", [(ADD, {"amount": 4})], ids=["one"]))
        job = place.job("d1", [(ADD, {"amount": 4})], ids=["one"], branch="draft")
        assert (await done(node, job)).error is None


async def test_a_job_that_fails_leaves_nothing_to_the_jobs_of_its_batch() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        steps: list[tuple[str, Any]] = [(ADD, {"amount": 4}), ("PAINT", {})]
        jobs = [
            place.job("d1", [(ADD, {"amount": 1})], ids=["before"]),
            place.job("d1", steps, ids=["one", "two"]),
            place.job("d1", [(ADD, {"amount": 5})], ids=["one"], expected_revision=1),
        ]
        await place.enqueue(*jobs)
        await done(node, place.job("d1", [(ADD, {"amount": 9})], ids=["after"]))
        results = [live(node).job(job.id) for job in jobs]
        assert [result and result.error is None for result in results] == [True, False, True]
        stored = operations(node, "d1")
        assert [(one.index, one.action.id) for one in stored] == [
            (0, "before"),
            (1, "one"),
            (2, "after"),
        ]
        assert stored[1].previous == digest(stored[0].encode())
        assert await total(node, "d1") == 15


async def test_the_same_id_twice_in_one_job_is_applied_once() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        twice = [(ADD, {"amount": 4})] * 2
        await done(node, place.job("d1", twice, ids=["one", "one"]))
        assert await total(node, "d1") == 4


async def test_a_revision_that_was_passed_fails_the_whole_job() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": 4})], expected_revision=0))
        late = place.job("d1", [(ADD, {"amount": 4})], expected_revision=0)
        result = await done(node, late)
        assert _error(result) == "RevisionMismatch"
        assert result.error is not None
        assert (result.error["expected"], result.error["actual"]) == (0, 1)
        assert result.token == ""


async def test_a_repeated_job_answers_although_its_revision_has_passed() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        for _ in range(2):
            job = place.job("d1", [(ADD, {"amount": 4})], ids=["one"], expected_revision=0)
            assert (await done(node, job)).status is JobStatus.READ_READY


@pytest.mark.parametrize(
    ("actions", "scope", "name"),
    [
        ([(ADD, {"amount": 1})], "global", "DocumentNotFound"),
        ([("DELETE_DOCUMENT", {"document_id": "d9"})], "document", "DocumentNotFound"),
    ],
)
async def test_a_mutation_of_nothing_fails_at_once(actions: Any, scope: str, name: str) -> None:
    place = site()
    async with place.node() as node:
        assert _error(await done(node, place.job("d9", actions, scope=scope))) == name


async def test_a_document_is_created_once_on_a_branch() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        assert _error(await done(node, place.creation("d1"))) == "DocumentAlreadyExists"


async def test_a_deleted_document_takes_no_more_mutations() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": 1})]))
        delete = [("DELETE_DOCUMENT", {"document_id": "d1"})]
        assert (await done(node, place.job("d1", delete, scope="document"))).error is None
        assert _error(await done(node, place.job("d1", [(ADD, {"amount": 1})]))) == (
            "DocumentDeleted"
        )
        assert _error(await done(node, place.job("d1", delete, scope="document"))) == (
            "DocumentDeleted"
        )
        assert len(operations(node, "d1")) == 1


async def test_wrong_actions_that_came_past_a_gateway_fail_their_job() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        assert _error(await done(node, place.job("d1", [("PAINT", {})]))) == "UnknownAction"
        assert _error(await done(node, place.job("d1", [(ADD, {"amount": "x"})]))) == (
            "InvalidInput"
        )


async def test_actions_without_a_time_are_stamped_later_than_the_stream() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        ahead = node.now_us() + 60_000_000
        stamp = "2999-01-01T00:00:00Z"
        late = place.job("d1", [(ADD, {"amount": 1})], stamps=[stamp])
        assert _error(await done(node, late)) == "InvalidOperationTimestamp"
        await done(node, place.job("d1", [(ADD, {"amount": 1})] * 3))
        stamps = [parse(one.timestamp) for one in operations(node, "d1")]
        assert stamps == sorted(set(stamps))
        assert stamps[-1] < ahead


async def test_the_last_moment_of_the_calendar_is_no_mutations_time() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        last = place.job("d1", [(ADD, {"amount": 1})], stamps=["9999-12-31T23:59:59.999999Z"])
        assert _error(await done(node, last)) == "InvalidOperationTimestamp"
        # The stream's next stamp is one that can be told.
        assert (await done(node, place.job("d1", [(ADD, {"amount": 1})]))).error is None


async def test_an_action_of_an_older_time_is_put_before_what_is_stored() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        new, old = "2020-01-01T00:00:02.000000Z", "2020-01-01T00:00:01.000000Z"
        await done(node, place.job("d1", [(ADD, {"amount": 1})], stamps=[new]))
        await done(node, place.job("d1", [(ADD, {"amount": 10})], stamps=[old]))
        stored = [(one.timestamp, one.index, one.skip) for one in operations(node, "d1")]
        assert stored == [(new, 0, 0), (old, 1, 1), (new, 2, 0)]
        assert await total(node, "d1") == 11


async def test_every_operation_names_the_bytes_before_it() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        await done(node, place.job("d1", [(ADD, {"amount": n}) for n in (1, 2)]))
        await done(node, place.job("d1", [(ADD, {"amount": 3})]))
        stored = operations(node, "d1")
        assert [one.previous for one in stored] == [
            None,
            digest(stored[0].encode()),
            digest(stored[1].encode()),
        ]


class Given(BaseModel):
    """What the odd model is told to do."""

    how: str = "well"


class Odd(State):
    """How many actions went well."""

    count: int = 0
    text: str = ""


odd = DocumentModel("test/odd", state=Odd)


@odd.action
def act(state: Odd, input: Given) -> Odd:
    if input.how == "fail":
        raise RuntimeError("as told")
    while input.how == "hang":
        pass
    if input.how == "grow":
        return state.replace(text="x" * 2_000)
    return state.replace(count=state.count + 1)


def _odd(**settings: Any) -> Site:
    place = site(**settings)
    place.models = (odd,)
    return place


async def _odd_created(place: Site, node: Node) -> None:
    await _created(place, node, model="test/odd")


async def test_a_reducers_error_takes_an_index_and_the_job_goes_on() -> None:
    place = _odd()
    async with place.node() as node:
        job = place.creation("d1", model="test/odd")
        await done(node, job)
        hows: list[tuple[str, Any]] = [("ACT", {"how": how}) for how in ("well", "fail", "well")]
        result = await done(node, place.job("d1", hows))
        assert result.status is JobStatus.READ_READY
        stored = operations(node, "d1")
        assert [one.error for one in stored] == [None, "RuntimeError: as told", None]
        assert stored[1].hash == stored[0].hash
        shown = live(node).documents.document("d1", "main")
        assert shown is not None
        assert shown.state["global"]["count"] == 2


async def test_a_reducer_that_never_ends_fails_its_job_and_stores_nothing() -> None:
    place = _odd(reducer_timeout_ms=50)
    async with place.node() as node:
        await _odd_created(place, node)
        hows: list[tuple[str, Any]] = [("ACT", {"how": how}) for how in ("well", "hang")]
        assert _error(await done(node, place.job("d1", hows))) == "ReducerTimeout"
        assert operations(node, "d1") == []
        await done(node, place.job("d1", [("ACT", {})]))
        assert len(operations(node, "d1")) == 1


async def test_a_state_over_its_limit_is_an_operation_with_an_error() -> None:
    place = _odd(document_bytes_max=1_000)
    async with place.node() as node:
        await _odd_created(place, node)
        assert (await done(node, place.job("d1", [("ACT", {"how": "grow"})]))).error is None
        (stored,) = operations(node, "d1")
        assert stored.error is not None
        assert stored.error.startswith("DocumentTooLarge")


async def test_a_record_that_nobody_can_decode_is_set_aside_with_its_cause() -> None:
    place = site()
    async with place.node() as node:
        await place.append(b"d1", b"{not json")
        await place.append(b"d1", b"{}", headers=(("v", b"99"),))
        await _created(place, node)
        letters = place.records(place.topics.dead_letters)
        assert [dict(one.headers)["cause"] for one in letters] == [
            b"UndecodableRecord",
            b"UnknownFormat",
        ]
        assert letters[0].value == b"{not json"
        assert dict(letters[0].headers)["source-offset"] == b"0"


async def test_a_branch_begins_with_a_creation_of_its_own() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        result = await done(node, place.job("d1", [(ADD, {"amount": 1})], branch="draft"))
        assert _error(result) == "DocumentNotFound"


async def test_a_second_creation_is_told_so_whatever_its_time() -> None:
    place = site()
    async with place.node() as node:
        await _created(place, node)
        job = place.creation("d1")
        dated = tuple(replace(one, timestamp="2001-01-01T00:00:00Z") for one in job.actions)
        result = await done(node, replace(job, actions=dated))
        assert _error(result) == "DocumentAlreadyExists"


async def test_what_is_not_there_is_told_before_its_revision_is_compared() -> None:
    place = site()
    async with place.node() as node:
        steps: list[tuple[str, Any]] = [(ADD, {"amount": 1})]
        missing = await done(node, place.job("d1", steps, expected_revision=7))
        await _created(place, node)
        end = [("DELETE_DOCUMENT", {"document_id": "d1"})]
        await done(node, place.job("d1", end, scope="document"))
        deleted = await done(node, place.job("d1", steps, expected_revision=7))
        assert [_error(missing), _error(deleted)] == ["DocumentNotFound", "DocumentDeleted"]


async def test_an_initial_state_that_the_model_refuses_creates_nothing() -> None:
    place = site()
    async with place.node() as node:
        job = place.creation("d1")
        upgrade = job.actions[1]
        given = upgrade.input | {"initial_state": {"global": {"total": "many"}}}
        actions = (job.actions[0], replace(upgrade, input=given))
        result = await done(node, replace(job, actions=actions))
        assert _error(result) == "InvalidInput"
        assert live(node).documents.header("d1", "main") is None
