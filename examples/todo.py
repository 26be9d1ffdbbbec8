"""A list of things to do: the smallest model that does something.

Run it with `docreactor up --models docreactor.examples.todo`, create a document of the type
`example/todo` and send it actions:

    {"type": "ADD_ITEM", "input": {"text": "Buy milk"}}
    {"type": "COMPLETE_ITEM", "input": {"text": "Buy milk"}}
    {"type": "REMOVE_ITEM", "input": {"text": "Buy milk"}}

A model is three things. A *state*: a class derived from `State` whose fields all have defaults, for
that is what a new document shows. *Inputs*: pydantic classes that say what an action carries; an
action that does not fit is refused before anything is stored. *Reducers*: functions from the state
and the input to the new state. A reducer changes nothing, it returns `state.replace(...)`, and it
asks nobody, neither the clock nor the network, so that every replay ends where the first run did.
What it raises becomes the operation's `error`; the state stays as it was.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from docreactor import DocumentModel, State


class Todo(State):
    """What a list shows: the items in the order they came, and which of them are done."""

    items: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()


class Item(BaseModel):
    """The input of every action here: an item is known by its text."""

    text: str = Field(min_length=1, max_length=1_000)


todo = DocumentModel("example/todo", state=Todo)


@todo.action
def add_item(state: Todo, input: Item) -> Todo:
    """ADD_ITEM: put an item at the end."""
    if input.text in state.items:
        raise ValueError(f"{input.text!r} is on the list already")
    return state.replace(items=(*state.items, input.text))


@todo.action
def complete_item(state: Todo, input: Item) -> Todo:
    """COMPLETE_ITEM: tick an item off. Twice is as good as once."""
    _expect(state, input.text)
    if input.text in state.completed:
        return state
    return state.replace(completed=(*state.completed, input.text))


@todo.action
def remove_item(state: Todo, input: Item) -> Todo:
    """REMOVE_ITEM: take an item off the list, done or not."""
    _expect(state, input.text)
    return state.replace(
        items=tuple(item for item in state.items if item != input.text),
        completed=tuple(item for item in state.completed if item != input.text),
    )


def _expect(state: Todo, text: str) -> None:
    if text not in state.items:
        raise ValueError(f"{text!r} is not on the list")
