"""What the platform's own actions carry."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.errors import (
    InvalidInputError,
    UnknownActionError,
    UnsupportedActionError,
)
from docreactor.pipeline.inputs import (
    BASE_INPUTS,
    SLUG_CHARACTERS_MAX,
    SYSTEM_INPUTS,
    CreateInput,
    NoInput,
    RelateInput,
    UpgradeInput,
    check_base,
    read_input,
)

EDGE = {"source_id": "d1", "target_id": "d2", "relationship_type": "child"}


@pytest.mark.parametrize("scope", ["global", "local", "document"])
@pytest.mark.parametrize(
    ("action_type", "input"),
    [
        ("SET_NAME", {"name": "n"}),
        ("SET_NAME", {"name": None}),
        ("SET_SLUG", {"slug": ""}),
        ("SET_META", {"key": "k", "value": [1]}),
        ("SET_META", {"key": "k"}),
        ("NOOP", {}),
        ("NOOP", None),
        ("UNDO", None),
        ("REDO", {}),
    ],
)
def test_every_scope_takes_what_every_document_has(
    scope: str, action_type: str, input: Any
) -> None:
    check_base("t/x", scope, action_type, input)


def test_a_whole_state_is_for_models_scopes() -> None:
    check_base("t/x", "global", "LOAD_STATE", {"state": {}, "name": None})
    with pytest.raises(UnknownActionError):
        check_base("t/x", "document", "LOAD_STATE", {"state": {}})


def test_what_concerns_the_document_is_for_its_own_scope() -> None:
    check_base("t/x", "document", "ADD_RELATIONSHIP", EDGE)
    for action_type in SYSTEM_INPUTS:
        with pytest.raises(UnknownActionError):
            check_base("t/x", "global", action_type, EDGE)


@pytest.mark.parametrize("scope", ["global", "document"])
def test_a_prune_is_refused_with_what_to_do_instead(scope: str) -> None:
    with pytest.raises(UnsupportedActionError, match="never rewritten; keyframes"):
        check_base("t/x", scope, "PRUNE", {})


@pytest.mark.parametrize("scope", ["global", "document"])
def test_any_other_action_is_unknown(scope: str) -> None:
    with pytest.raises(UnknownActionError, match="PAINT"):
        check_base("t/x", scope, "PAINT", {})


@pytest.mark.parametrize(
    ("action_type", "input", "field"),
    [
        ("SET_NAME", {}, "name"),
        ("SET_NAME", {"name": 5}, "name"),
        ("SET_NAME", None, "input"),
        ("SET_SLUG", {"slug": None}, "slug"),
        ("SET_SLUG", {"slug": "x" * (SLUG_CHARACTERS_MAX + 1)}, "slug"),
        ("SET_META", {"key": ""}, "key"),
        ("SET_META", {"key": "k", "more": 1}, "more"),
        ("LOAD_STATE", {}, "state"),
        ("UNDO", {"count": 2}, "count"),
        ("NOOP", 5, "input"),
    ],
)
def test_an_input_that_does_not_fit_names_its_field(
    action_type: str, input: Any, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_base("t/x", "global", action_type, input)
    assert caught.value.facts["field"] == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target_id": "a/b"}, "target_id"),
        ({"target_id": ".."}, "target_id"),
        ({"relationship_type": ""}, "relationship_type"),
        ({"relationship_type": "x" * 65}, "relationship_type"),
        ({"since": 1}, "since"),
    ],
)
def test_the_ends_and_the_type_of_an_edge_fit_a_key(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_input(RelateInput, EDGE | changes)
    assert caught.value.facts["field"] == field


def test_an_edge_may_carry_anything_or_nothing() -> None:
    assert read_input(RelateInput, EDGE).metadata is None
    assert read_input(RelateInput, EDGE | {"metadata": [{"x": 1}]}).metadata == [{"x": 1}]
    with pytest.raises(InvalidInputError, match="metadata"):
        check_base("t/x", "document", "REMOVE_RELATIONSHIP", EDGE | {"metadata": 1})


@pytest.mark.parametrize(
    ("given", "weight"), [(None, None), (0, 0.0), (-2.5, -2.5), (1e308, 1e308)]
)
def test_an_edge_may_have_a_weight(given: float | None, weight: float | None) -> None:
    found = read_input(RelateInput, EDGE | {"weight": given}).weight
    assert (found, type(found)) == (weight, type(weight))


@pytest.mark.parametrize("given", ["1", True, [1], float("nan"), float("inf")])
def test_a_weight_is_a_finite_number(given: Any) -> None:
    with pytest.raises(InvalidInputError, match="weight"):
        check_base("t/x", "document", "ADD_RELATIONSHIP", EDGE | {"weight": given})


def test_a_creation_needs_a_model_and_an_id_alone() -> None:
    given = read_input(CreateInput, {"model": "t/x", "document_id": "d1"})
    assert (given.branch, given.slug, given.meta, given.version) == ("main", None, {}, 0)


@pytest.mark.parametrize(
    "versions", [{"from_version": -1}, {"to_version": 1.5}, {"to_version": ""}]
)
def test_versions_are_whole_numbers(versions: dict[str, Any]) -> None:
    given = {"model": "t/x", "document_id": "d1", "from_version": 1, "to_version": 2}
    with pytest.raises(InvalidInputError, match="version"):
        read_input(UpgradeInput, given | versions)


def test_nothing_is_as_good_as_an_empty_object_only_where_nothing_is_needed() -> None:
    assert read_input(NoInput, None) == read_input(NoInput, {})
    for action_type in ("SET_NAME", "SET_SLUG", "SET_META", "LOAD_STATE"):
        with pytest.raises(InvalidInputError):
            read_input(BASE_INPUTS[action_type], None)
