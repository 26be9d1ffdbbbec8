"""What an author writes of a read model, and what is refused of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from docreactor.pipeline.errors import InvalidModelError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.read_model import (
    Change,
    ReadModel,
    Writer,
    check,
    is_ready_made,
    place_of,
    wants,
)


class Words(ReadModel):
    """The smallest that there is."""

    name = "words"

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        """Keep nothing."""


class Waits(ReadModel):
    """One that waits."""

    name = "waits"

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        """Ask for every state."""
        for change in batch:
            await change.state()


class Given(Words):
    """One that must be told something."""

    def __init__(self, given: str) -> None:
        self.given = given


class Maybe(Words):
    """One that may be told something."""

    def __init__(self, *more: str, given: str = "") -> None:
        self.given = (given, more)


class Nameless(Words):
    """One that has no name."""

    name = ""


OPERATION = Operation(
    "0" * 32,
    "test/words",
    3,
    0,
    "2026-11-21T00:00:00.000000Z",
    "hash",
    None,
    None,
    StoredAction("a1", "ADD", "global", "2026-11-21T00:00:00.000000Z"),
)


async def _seven() -> Any:
    return 7


def _change(operation: Operation | None) -> Change:
    return Change("d1", "test/words", "global", "main", operation, (), 5, False, _seven)


async def test_a_change_names_its_stream_and_gives_its_state_when_asked() -> None:
    change = _change(OPERATION)
    assert change.stream == Stream("d1", "global", "main")
    assert not change.erased
    assert await change.state() == 7


def test_a_change_without_an_operation_is_an_erasure() -> None:
    assert _change(None).erased


def test_changes_are_equal_whoever_is_asked_for_their_states() -> None:
    assert _change(OPERATION) == Change(
        "d1", "test/words", "global", "main", OPERATION, (), 5, False, lambda: _seven()
    )


def _filtered(**filters: Any) -> Words:
    model = Words()
    for name, value in filters.items():
        setattr(model, name, value)
    return model


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        ({}, True),
        ({"document_types": ("a", "test/words")}, True),
        ({"document_types": ("a",)}, False),
        ({"scopes": {"global"}, "branches": ["main"]}, True),
        ({"scopes": {"local"}, "branches": ["main"]}, False),
        ({"scopes": {"global"}, "branches": ["other"]}, False),
        ({"document_types": ("test/words",), "scopes": ("local",)}, False),
    ],
)
def test_each_filter_must_let_an_operation_through_and_an_empty_one_does(
    filters: dict[str, Any], is_wanted: bool
) -> None:
    assert wants(_filtered(**filters), Stream("d1", "global", "main"), "test/words") is is_wanted


def test_a_type_that_is_not_known_yet_is_let_through() -> None:
    model = _filtered(document_types=("a",), branches=("main",))
    assert wants(model, Stream("d1", "global", "main"))
    assert not wants(model, Stream("d1", "global", "other"))


def test_what_can_work_is_checked_and_given_back() -> None:
    model = Words()
    assert check(model) is model
    assert check(_filtered(name="a" * 64, version=9, scopes=["global"])).version == 9


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name", "", "name: must match"),
        ("name", "a b", "name: must match"),
        ("name", "a" * 65, "name: must match"),
        ("name", 5, "name: must match"),
        ("name", "documents", "the platform has one"),
        ("name", "relationships", "the platform has one"),
        ("name", "graph", "the platform has one"),
        ("version", 0, "version 0 is not 1 or more"),
        ("version", True, "version True is not 1 or more"),
        ("version", "2", "version '2' is not 1 or more"),
        ("document_types", "example/todo", "document_types is no list of texts"),
        ("scopes", [1], "scopes is no list of texts"),
        ("branches", None, "branches is no list of texts"),
    ],
)
def test_what_cannot_work_says_why_and_where(field: str, value: Any, reason: str) -> None:
    with pytest.raises(InvalidModelError, match=reason) as refused:
        check(_filtered(**{field: value}))
    assert place_of(Words) in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "is_ready"),
    [
        (Words, True),
        (Waits, True),
        (Maybe, True),
        (Given, False),
        (Nameless, False),
        (ReadModel, False),
    ],
)
def test_a_class_is_ready_made_that_needs_nothing(kind: type[ReadModel], is_ready: bool) -> None:
    assert is_ready_made(kind) is is_ready


async def test_what_is_forgotten_is_up_to_the_author() -> None:
    class Unused:
        """A writer that nobody may use."""

    unused: Any = Unused()
    assert Words().forget("d1", unused) is None
