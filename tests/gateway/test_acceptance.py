"""What of an action is refused without its stream."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from docreactor.gateway.acceptance import check_action, check_models
from docreactor.pipeline.action import Action
from docreactor.pipeline.document import Document, Upgraded
from docreactor.pipeline.errors import (
    InvalidInputError,
    ReactorError,
    UnknownActionError,
    UnknownModelError,
    UnsupportedActionError,
)
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.state import State


class Plan(State):
    title: str = ""


class Title(BaseModel):
    title: str


plain = DocumentModel("test/plain", state=Plan)
own = DocumentModel("test/own", state=Plan)


@plain.action
def retitle(state: Plan, input: Title) -> Plan:
    return state.replace(title=input.title)


@plain.upgrade(to=2)
def to_2(state: Plan) -> Plan:
    return state


@plain.action(type="SHORTEN", version=2)
def shorten(state: Plan, input: Title) -> Plan:
    return state


@own.action
def set_name(state: Plan, input: Title) -> Plan:
    return state.replace(title=input.title)


REGISTRY = Registry([plain, own])
AT_1 = "2024-05-01T12:00:00.000000Z"
AT_2 = "2024-06-01T12:00:00.000000Z"


def document(document_type: str, *versions: int) -> Document:
    steps = zip((0, *versions), versions, (AT_1, AT_2), strict=False)
    upgrades = tuple(
        Upgraded(timestamp=at, from_version=before, to_version=after) for before, after, at in steps
    )
    return Document(
        id="d",
        document_type=document_type,
        slug="d",
        name=None,
        branch="main",
        created_at=AT_1,
        protocol_versions={},
        meta={},
        upgrades=upgrades,
    )


def refused(action: Action, known: Document | None = None) -> type[ReactorError] | None:
    try:
        check_action(REGISTRY, action, "d", known)
    except ReactorError as error:
        return type(error)
    return None


def of(action_type: str, input: Any = None, scope: str = "global", **fields: Any) -> Action:
    return Action("a", action_type, scope, input=input, **fields)


@pytest.mark.parametrize(
    ("action_type", "input", "error"),
    [
        ("SET_NAME", {"name": "Shop"}, None),
        ("SET_NAME", {"name": None}, None),
        ("SET_NAME", {"name": 3}, InvalidInputError),
        ("SET_NAME", {}, InvalidInputError),
        ("SET_SLUG", {"slug": "x" * 1_000}, None),
        ("SET_SLUG", {"slug": "x" * 1_001}, InvalidInputError),
        ("SET_META", {"key": "editor", "value": [1]}, None),
        ("SET_META", {"key": "", "value": 1}, InvalidInputError),
        ("NOOP", {}, None),
        ("UNDO", None, None),
        ("UNDO", {"count": 2}, InvalidInputError),
        ("REDO", {}, None),
        ("PRUNE", {}, UnsupportedActionError),
    ],
)
def test_what_every_document_takes_is_checked_in_any_scope(
    action_type: str, input: Any, error: type[ReactorError] | None
) -> None:
    for scope in ("global", "local", "document"):
        assert refused(of(action_type, input, scope), document("test/plain", 1)) is error


def test_a_prune_is_told_what_to_do_instead() -> None:
    with pytest.raises(UnsupportedActionError, match="keyframes"):
        check_action(REGISTRY, of("PRUNE", {}), "d", None)


def test_a_state_is_loaded_in_a_models_scope_only() -> None:
    given = {"state": {}, "name": "n"}
    assert refused(of("LOAD_STATE", given)) is None
    assert refused(of("LOAD_STATE", {"name": "n"})) is InvalidInputError
    assert refused(of("LOAD_STATE", given, "document")) is UnknownActionError


def test_a_models_own_action_goes_before_that_of_every_document() -> None:
    assert refused(of("SET_NAME", {"title": "a"}), document("test/own", 1)) is None
    assert refused(of("SET_NAME", {"name": "a"}), document("test/own", 1)) is InvalidInputError
    assert refused(of("SET_NAME", {"title": "a"}), document("test/plain", 1)) is InvalidInputError


def test_without_the_document_its_models_own_action_passes() -> None:
    assert refused(of("SET_NAME", {"title": "a"})) is None
    assert refused(of("SING", {})) is None


def test_an_action_is_checked_under_the_version_that_is_in_force_at_its_time() -> None:
    known = document("test/plain", 1, 2)
    shorten = {"title": "a"}
    assert refused(of("SHORTEN", shorten), known) is None
    assert refused(of("SHORTEN", shorten, timestamp=AT_1), known) is UnknownActionError
    assert refused(of("SHORTEN", shorten), document("test/plain", 1)) is UnknownActionError
    assert refused(of("RETITLE", {}), known) is InvalidInputError


@pytest.mark.parametrize("action_type", ["ADD_RELATIONSHIP", "UPDATE_RELATIONSHIP"])
def test_relationships_lead_from_the_document_to_another(action_type: str) -> None:
    edge = {"source_id": "d", "target_id": "e", "relationship_type": "cites"}

    assert refused(of(action_type, edge, "document")) is None
    assert refused(of(action_type, edge | {"metadata": {"a": 1}}, "document")) is None
    assert refused(of(action_type, edge | {"weight": 3}, "document")) is None
    assert refused(of(action_type, edge, "global")) is UnknownActionError
    for wrong in (
        {"source_id": "other"},
        {"target_id": "d"},
        {"target_id": "a/b"},
        {"relationship_type": "a b"},
        {"weight": "3"},
        {"colour": "red"},
    ):
        assert refused(of(action_type, edge | wrong, "document")) is InvalidInputError


def test_an_upgrade_is_for_the_document_and_a_version_that_is_here() -> None:
    upgrade = {"model": "test/plain", "document_id": "d", "from_version": 1, "to_version": 2}

    assert refused(of("UPGRADE_DOCUMENT", upgrade, "document")) is None
    for wrong, error in (
        ({"document_id": "e"}, InvalidInputError),
        ({"to_version": 3}, UnknownModelError),
        ({"model": "test/nothing"}, UnknownModelError),
        ({"revision": {"global": "x"}}, InvalidInputError),
    ):
        assert refused(of("UPGRADE_DOCUMENT", upgrade | wrong, "document")) is error


def test_of_a_load_only_the_models_are_looked_at() -> None:
    check_models(REGISTRY, of("CREATE_DOCUMENT", {"model": "test/plain"}, "document"))
    check_models(REGISTRY, of("CREATE_DOCUMENT", 3, "document"))
    check_models(REGISTRY, of("CREATE_DOCUMENT", {"model": "test/nothing"}))
    check_models(REGISTRY, of("DELETE_DOCUMENT", {"model": "test/nothing"}, "document"))
    with pytest.raises(UnknownModelError):
        check_models(REGISTRY, of("CREATE_DOCUMENT", {"model": "test/nothing"}, "document"))
    with pytest.raises(UnknownModelError):
        given = {"model": "test/own", "to_version": 2}
        check_models(REGISTRY, of("UPGRADE_DOCUMENT", given, "document"))
