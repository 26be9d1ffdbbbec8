"""Documents change their model's version: what they show before, at and after it."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.job import JobStatus
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.support import oracle
from tests.support.nodes import Site, done, live, operations, site
from tests.support.notation import Told, action, deletion, told, upgrade
from tests.support.replicas import HOME, MAIN

steps = DocumentModel("test/steps", state=dict)


@steps.action
def add(state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """One word more."""
    return {"words": [*state.get("words", ()), given["word"]]}


@steps.action(version=2)
def add_louder(state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Another type of action, that the first version has not."""
    return {"words": [*state.get("words", ()), given["word"] + "!"]}


@steps.upgrade(to=2)
def second(state: dict[str, Any]) -> dict[str, Any]:
    return {"words": [*state.get("words", ()), "->2"]}


@steps.upgrade(to=3)
def third(state: dict[str, Any]) -> dict[str, Any]:
    if "poison" in state.get("words", ()):
        raise ValueError("poison")
    return {"words": [*state.get("words", ()), "->3"]}


def _step(told_of: str, from_version: int, to_version: int, **given: Any) -> Action:
    return upgrade(told_of, from_version, to_version, model="test/steps", **given)


async def _stepping(*names: str) -> Told:
    """A replica with a document of the first of three versions, after these mutations."""
    replica = Told("here", Settings(app="test"), models=(steps,))
    given = {"model": "test/steps", "document_id": "d1"}
    begin = [action("c1@0", "CREATE_DOCUMENT", "document", given), _step("c2@0", 0, 1)]
    assert await replica.mutate(*begin, stream=HOME) is None
    for name in names:
        assert await replica.mutate(name) is None
    return replica


async def test_two_steps_in_one_operation_are_taken_in_order() -> None:
    replica = await _stepping("A@1")
    assert await replica.mutate(_step("up@5", 1, 3), stream=HOME) is None
    assert replica.log(HOME) == "0:0:c1 1:0:c2 2:0:up"
    assert replica.words == ["A", "->2", "->3"]
    assert await replica.mutate("B@6") is None
    assert replica.words == ["A", "->2", "->3", "B"]
    assert [one.version for one in replica.stored(MAIN)] == [1, 3]


async def test_each_operation_replays_under_the_version_in_force_at_its_time() -> None:
    replica = await _stepping("A@1", "B@2")
    assert await replica.mutate(action("n@3", "ADD_LOUDER", input={"word": "n"})) == "UnknownAction"
    assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert await replica.mutate(action("C@6", "ADD_LOUDER", input={"word": "C"})) is None
    expected = ["A", "B", "->2", "C!"]
    assert replica.words == expected
    assert await replica.built() == {"words": expected}
    cache = replica.tables.cache
    assert [(await cache.get(MAIN, at)).version for at in range(3)] == [1, 1, 2]
    assert (await cache.get(MAIN, 1)).state == {"words": ["A", "B"]}


@pytest.mark.parametrize("together", [True, False])
async def test_what_was_written_before_the_first_version_is_decided_under_it(
    together: bool,
) -> None:
    replica = Told("here", Settings(app="test"), models=(steps,))
    given = {"model": "test/steps", "document_id": "d1"}
    creation = replica.mutation(HOME, [action("c1@0", "CREATE_DOCUMENT", "document", given)])
    words = replica.mutation(MAIN, [action("a@1", "ADD", "global", {"word": "a"})])
    first = replica.mutation(HOME, [_step("c2@2", 0, 2)])
    batches = [[creation, words, first]] if together else [[creation], [words], [first]]
    for batch in batches:
        assert await replica.submit(*batch) == [None] * len(batch)
    effective = oracle.effective(replica.stored(MAIN))
    assert [operation.version for operation in effective] == [2]
    assert replica.documents.quarantine_of("d1") is None


async def test_the_view_shows_the_same_when_it_is_made_again() -> None:
    replica = await _stepping("A@1")
    assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert await replica.mutate("B@6") is None
    again = Told("again", Settings(app="test"), models=(steps,))
    shown: list[Any] = list(replica.sent)
    await again.view.apply(shown, Offset(len(shown)))
    assert again.words == replica.words == ["A", "->2", "B"]


async def test_a_stream_that_nobody_writes_to_is_shown_in_the_new_version() -> None:
    replica = await _stepping("A@1")
    assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert replica.words == ["A", "->2"]
    assert replica.log() == "0:0:A", "nothing is rewritten for it"


@pytest.mark.parametrize("version", [1, 2])
async def test_an_upgrade_to_the_version_there_is_stores_nothing(version: int) -> None:
    replica = await _stepping("A@1")
    if version == 2:
        assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    log = replica.log(HOME)
    assert await replica.mutate(_step("same", version, version), stream=HOME) is None
    assert replica.log(HOME) == log


async def test_an_upgrade_to_the_version_there_is_ends_with_a_token() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        same = {"model": "test/ledger", "document_id": "d1", "from_version": 1, "to_version": 1}
        job = place.job("d1", [("UPGRADE_DOCUMENT", same)], scope="document")
        result = await done(node, job)
        assert result.status is JobStatus.READ_READY
        assert result.token
        assert len(operations(node, "d1", "document")) == 2


@pytest.mark.parametrize(
    ("from_version", "to_version", "error"),
    [
        (2, 1, "DowngradeNotSupported"),
        (2, 3, "UpgradePreconditionFailed"),
        (0, 1, "UpgradePreconditionFailed"),
        (1, 0, "InvalidInput"),
    ],
)
async def test_an_upgrade_from_another_version_is_refused(
    from_version: int, to_version: int, error: str
) -> None:
    replica = await _stepping("A@1")
    step = _step("up@5", from_version, to_version)
    assert await replica.mutate(step, stream=HOME) == error
    assert replica.log(HOME) == "0:0:c1 1:0:c2"


async def test_an_upgrade_is_refused_once_a_scope_has_moved_on() -> None:
    replica = await _stepping("A@1")
    stale = {"document": 2, "global": 0}
    assert await replica.mutate(_step("up@5", 1, 2, revision=stale), stream=HOME) == (
        "UpgradePreconditionFailed"
    )
    right = {"document": 2, "global": 1}
    assert await replica.mutate(_step("up@5", 1, 2, revision=right), stream=HOME) is None


async def test_an_upgrade_whose_transition_fails_is_refused_as_a_whole() -> None:
    replica = await _stepping("poison@1")
    assert await replica.mutate(_step("up@5", 1, 3), stream=HOME) == "UpgradeFailed"
    assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert replica.words == ["poison", "->2"]


async def test_an_upgrade_may_set_the_states_of_scopes() -> None:
    replica = await _stepping("A@1")
    given = {"global": {"words": ["set"]}}
    step = _step("up@5", 1, 2, initial_state=given)
    assert await replica.mutate(step, stream=HOME) is None
    assert replica.words == ["set"]
    assert await replica.mutate("B@6") is None
    assert replica.words == ["set", "B"]
    assert await replica.built() == {"words": ["set", "B"]}


async def test_an_upgrade_that_comes_late_is_as_if_it_had_always_been_there() -> None:
    early, late = await _stepping("A@1"), await _stepping("A@1", "B@6", "C@9")
    assert await early.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert await early.mutate("B@6") is None
    assert await early.mutate("C@9") is None
    assert await late.receive(early.stored(HOME), HOME) is None
    assert late.log() == "0:0:A 1:0:B 2:0:C 3:2:B 4:0:C"
    assert late.words == early.words == ["A", "->2", "B", "C"]
    for one, other in zip(
        oracle.effective(early.stored(MAIN)), oracle.effective(late.stored(MAIN)), strict=True
    ):
        assert (one.hash, one.version, one.error) == (other.hash, other.version, other.error)


async def test_what_a_version_did_not_know_is_decided_anew_when_the_upgrade_comes() -> None:
    replica = await _stepping("A@1")
    assert await replica.bring(action("L@6", "ADD_LOUDER", input={"word": "L"})) is None
    assert (replica.errors()["L"] or "").startswith("UnknownAction: ")
    assert await replica.bring(_step("up@5", 1, 2), stream=HOME) is None
    assert replica.errors()["L"] is None
    assert replica.words == ["A", "->2", "L!"]


async def test_an_undo_reaches_back_over_an_upgrade() -> None:
    replica = await _stepping("A@1", "B@2")
    assert await replica.mutate(_step("up@5", 1, 2), stream=HOME) is None
    assert await replica.mutate("C@6", action("u1@7", "UNDO"), action("u2@8", "UNDO")) is None
    assert replica.words == ["A", "->2"]
    replica.tables.cache.clear()
    assert await replica.mutate("D@9") is None
    assert replica.words == ["A", "->2", "D"]


async def test_a_deleted_document_is_not_upgraded() -> None:
    replica = await told("A@1")
    assert await replica.mutate(deletion("d@5"), stream=HOME) is None
    assert await replica.mutate(upgrade("up@6"), stream=HOME) == "DocumentDeleted"


async def test_an_upgrade_is_shown_by_every_read_of_a_node() -> None:
    place: Site = site()
    place.models = (steps,)
    async with place.node() as node:
        await done(node, place.creation("d1", model="test/steps"))
        await done(node, place.job("d1", [("ADD", {"word": "A"})]))
        step = {"model": "test/steps", "document_id": "d1", "from_version": 1, "to_version": 2}
        await done(node, place.job("d1", [("UPGRADE_DOCUMENT", step)], scope="document"))
        result = await done(node, place.job("d1", [("ADD_LOUDER", {"word": "B"})]))
        assert result.status is JobStatus.READ_READY
        shown = live(node).documents.document("d1", "main")
        assert shown is not None
        assert shown.header.document.version == 2
        assert shown.state["global"] == {"words": ["A", "->2", "B!"]}
