"""What is asked."""

from __future__ import annotations

from docreactor.pipeline.action import SYSTEM_ACTIONS, Action
from docreactor.pipeline.canonical import encode


def test_an_action_may_leave_its_time_to_the_reducer() -> None:
    action = Action(id="a1", type="ADD", scope="global")

    assert (action.timestamp, action.input, action.context) == (None, None, None)


def test_the_size_of_an_action_is_that_of_its_canonical_json() -> None:
    action = Action(id="a1", type="ADD", scope="global", input={"text": "é"})

    assert action.size == len(encode(action.json))


def test_the_platforms_own_actions_are_named() -> None:
    assert {"CREATE_DOCUMENT", "UPGRADE_DOCUMENT", "DELETE_DOCUMENT"} <= SYSTEM_ACTIONS
