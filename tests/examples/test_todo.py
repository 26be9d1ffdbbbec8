"""The list of things to do."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor import Context, Origin
from docreactor.examples.todo import Todo, todo
from docreactor.pipeline.errors import InvalidInputError

CONTEXT = Context(
    "2026-11-21T00:00:00.000000Z", "a1", None, Origin("d1", "example/todo", "main", "2026-11-21")
)


def _after(*actions: tuple[str, Any]) -> Todo:
    state: Todo = todo.initial(todo.version, "global")
    for action_type, input in actions:
        state = todo.apply(todo.version, "global", action_type, state, input, CONTEXT)
    return state


def test_items_come_in_order_are_completed_and_removed() -> None:
    milk, bread = {"text": "Buy milk"}, {"text": "Buy bread"}
    full = _after(("ADD_ITEM", milk), ("ADD_ITEM", bread), ("COMPLETE_ITEM", milk))

    assert full == Todo(items=("Buy milk", "Buy bread"), completed=("Buy milk",))
    assert todo.write(1, "global", full) == (
        b'{"completed":["Buy milk"],"items":["Buy milk","Buy bread"]}'
    )
    assert todo.apply(1, "global", "COMPLETE_ITEM", full, milk, CONTEXT) is full
    emptied = todo.apply(1, "global", "REMOVE_ITEM", full, milk, CONTEXT)
    assert emptied == Todo(items=("Buy bread",))


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([("ADD_ITEM", "a"), ("ADD_ITEM", "a")], "'a' is on the list already"),
        ([("COMPLETE_ITEM", "a")], "'a' is not on the list"),
        ([("REMOVE_ITEM", "a")], "'a' is not on the list"),
    ],
)
def test_what_makes_no_sense_is_an_error_of_the_operation(
    actions: list[tuple[str, str]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _after(*((action_type, {"text": text}) for action_type, text in actions))


@pytest.mark.parametrize("input", [{}, {"text": ""}, {"text": 5}, {"text": "x" * 1_001}])
def test_an_item_without_a_proper_text_is_refused_before_anything_is_stored(input: Any) -> None:
    with pytest.raises(InvalidInputError, match="text: "):
        todo.check(1, "global", "ADD_ITEM", input)
