"""Whether values of a schema can be nested without end."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, JsonValue

from docreactor.pipeline.depth import is_endless
from docreactor.pipeline.state import State


class Part(State):
    """Of a known depth."""

    name: str = ""
    kind: Literal["a", "b"] = "a"
    size: int | None = None


class Flat(State):
    """Holds parts."""

    parts: tuple[Part, ...] = ()
    pair: tuple[int, str] = (0, "")
    by_name: dict[str, Part] = Field(default_factory=dict)


class Tree(State):
    """Holds its own kind."""

    children: tuple[Tree, ...] = ()


class Open(State):
    """Holds anything."""

    value: JsonValue = None


class Loose(State):
    """Holds objects of anything."""

    values: dict[str, Any] = Field(default_factory=dict)


@pytest.mark.parametrize("kind", [Part, Flat])
def test_what_its_annotations_bound_is_not(kind: type[State]) -> None:
    assert not is_endless(kind.model_json_schema())


@pytest.mark.parametrize("kind", [Tree, Open, Loose])
def test_what_holds_its_own_kind_or_anything_is(kind: type[State]) -> None:
    assert is_endless(kind.model_json_schema())


@pytest.mark.parametrize(
    "schema", [{}, {"type": "array"}, {"type": "object"}, {"$ref": "#/$defs/X"}]
)
def test_what_says_nothing_of_its_inside_is(schema: dict[str, Any]) -> None:
    assert is_endless(schema)
