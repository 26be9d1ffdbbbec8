"""What is accepted can be read again, however deep it is nested."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State
from tests.agents.test_odd_jobs import decided, nested
from tests.support.replicas import MAIN, Replica

boxes = DocumentModel("test/words", state=dict)


@boxes.action
def wrap(state: dict[str, Any], given: Any) -> dict[str, Any]:
    """The state inside of a state."""
    return {"in": state, "given": given}


class Tree(State):
    """A state that may hold itself, and whatever."""

    any: Any = None
    child: Tree | None = None


trees = DocumentModel("test/words", state=Tree)


@trees.action(type="WRAP")
def grow(state: Tree, given: Any) -> Tree:
    """As `wrap`."""
    return Tree(child=state, any={"in": state.any, "given": given})


@pytest.mark.parametrize("model", [boxes, trees])
@pytest.mark.parametrize("value", [1, 0.5, nested(60), nested(99), nested(100)])
async def test_a_state_grows_no_deeper_than_it_can_be_read_again(
    model: DocumentModel, value: Any
) -> None:
    replica = Replica("a", models=(model,))
    await replica.create()
    deep: Any = nested(97) if model is boxes else {"any": nested(96)}
    begin = Action("x", "LOAD_STATE", "global", input={"state": deep})
    assert await decided(replica, replica.mutation(MAIN, [begin])) == [None]
    for at in range(5):
        asked = Action(f"x{at}", "WRAP", "global", input=value)
        assert await decided(replica, replica.mutation(MAIN, [asked])) == [None]
        replica.view.forget()
        replica.tables.cache.clear()
    for levels, error in ((99, None), (100, None), (101, "InvalidInput")):
        state: Any = nested(levels) if model is boxes else {"any": nested(levels - 1)}
        asked = Action(f"s{levels}", "LOAD_STATE", "global", input={"state": state})
        assert await decided(replica, replica.mutation(MAIN, [asked])) == [error]
        replica.view.forget()
        replica.tables.cache.clear()
        assert await decided(
            replica, replica.mutation(MAIN, [Action(f"n{levels}", "NOOP", "global")])
        ) == [None]
