"""Where an action stands in its stream's history."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.order import Key, key_of, rank

T0 = "2026-11-21T00:00:00.000000Z"
T1 = "2026-11-21T00:00:00.000001Z"
BEGINS = {"from_version": 0, "to_version": 1}


def _key(
    action_id: str, timestamp: str = T0, type: str = "ADD", scope: str = "global", input: Any = None
) -> Key:
    return key_of(Action(action_id, type, scope, input=input), timestamp)


def test_creation_stands_first_and_the_first_upgrade_second_whatever_their_times() -> None:
    keys = [
        _key("z", T1, "CREATE_DOCUMENT", "document"),
        _key("y", T1, "UPGRADE_DOCUMENT", "document", BEGINS),
        _key("a", T0, "SET_NAME", "document"),
        _key("b", T0, "DELETE_DOCUMENT", "document"),
        _key("a", T1, "UPGRADE_DOCUMENT", "document", {"from_version": 1, "to_version": 2}),
    ]
    keys.reverse()
    assert sorted(keys) == keys[::-1]


@pytest.mark.parametrize("input", [None, {}, [], {"from_version": 1}, {"from_version": "0"}])
def test_an_upgrade_that_begins_nothing_has_no_rank_of_its_own(input: Any) -> None:
    assert rank("document", "UPGRADE_DOCUMENT", input) == rank("document", "SET_NAME", {})


@pytest.mark.parametrize("action_type", ["CREATE_DOCUMENT", "UPGRADE_DOCUMENT"])
def test_in_another_scope_there_is_no_creation(action_type: str) -> None:
    assert rank("global", action_type, BEGINS) == rank("global", "ADD", {})


def test_time_comes_before_the_id_and_the_id_decides_a_tie() -> None:
    assert _key("z", T0) < _key("a", T1)
    assert _key("a", T0) < _key("b", T0)


def test_ids_compare_by_code_point_on_every_machine() -> None:
    ids = ["10", "9", "A", "Z", "_", "a", "a.", "a0", "aB", "ab"]
    assert [key.action_id for key in sorted(_key(one) for one in reversed(ids))] == ids


def test_the_type_of_an_ordinary_action_does_not_matter() -> None:
    types = ["UNDO", "ADD", "DELETE_DOCUMENT", "ADD_RELATIONSHIP", "NOOP"]
    keys = [_key(str(at), T0, one, "document") for at, one in enumerate(types)]
    assert sorted(keys) == keys


def test_what_is_asked_and_what_is_stored_stand_alike() -> None:
    stored = StoredAction("a", "ADD", "global", T0)
    assert key_of(stored, T0) == _key("a", T0)
