"""One author's function for one type of action."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, ConfigDict, JsonValue

from docreactor.pipeline.edition import Rules
from docreactor.pipeline.errors import InvalidInputError, InvalidModelError
from docreactor.pipeline.form import JsonForm
from docreactor.pipeline.frozen import FrozenDict
from docreactor.pipeline.reducer import (
    Reducer,
    check_scope,
    check_version,
    input_content,
    reducer_of,
)

if TYPE_CHECKING:
    from docreactor.pipeline.context import Context


class Given(BaseModel):
    text: str
    extra: Any = None


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    pair: tuple[int, int]


def _reducer(function: Any, **options: Any) -> Reducer:
    given = {"action_type": None, "scope": None, "version": 1, "names": {}} | options
    return reducer_of(function, **given)


def _parsed(function: Any, input: Any) -> Any:
    """What the function gets as its input."""
    return _reducer(function).parse(input_content(input))


def add_item(state: Any, input: Given) -> Any:
    return input


def with_context(state: Any, input: Given, context: Context) -> Any:
    return {"context": context}


def with_strict(state: Any, input: Strict) -> Any:
    return input


def untyped(state, input):  # type: ignore[no-untyped-def]
    return input


def with_any(state: Any, input: Any) -> Any:
    return input


def with_json(state: Any, input: JsonValue) -> Any:
    return input


def with_dict(state: Any, input: dict[str, Any]) -> Any:
    return input


def test_the_action_type_is_the_functions_name_in_capitals_unless_given() -> None:
    assert _reducer(add_item).action_type == "ADD_ITEM"
    assert _reducer(add_item, action_type="DEL").action_type == "DEL"


def test_a_third_parameter_is_the_context() -> None:
    rules, content = Rules(JsonForm(), {}), input_content({"text": "a"})

    assert rules.apply(_reducer(with_context), None, content, "here") == {"context": "here"}
    assert rules.apply(_reducer(with_dict), None, content, "here") == {"text": "a"}


def test_annotations_that_only_a_type_checker_needs_may_stay_unknown() -> None:
    assert "Context" not in globals()
    assert _reducer(with_context).takes_context


@pytest.mark.parametrize("function", [untyped, with_any, with_json])
def test_raw_json_may_be_anything(function: Any) -> None:
    assert _parsed(function, [1, {"a": None}]) == [1, {"a": None}]
    assert _parsed(function, None) is None
    with pytest.raises(InvalidInputError, match="input: "):
        _reducer(function).parse(b"[NaN]")


def test_an_input_of_class_dict_is_any_object() -> None:
    assert _parsed(with_dict, {"a": 1}) == {"a": 1}
    with pytest.raises(InvalidInputError, match="input: must be an object"):
        _parsed(with_dict, [])


@pytest.mark.parametrize("function", [untyped, with_dict])
def test_a_reducer_cannot_change_the_actions_raw_input(function: Any) -> None:
    parsed = _parsed(function, {"items": [1]})

    assert type(parsed) is FrozenDict
    with pytest.raises(TypeError, match="never changes"):
        parsed["items"].append(2)


def test_a_reducer_cannot_change_the_actions_input_through_a_class_either() -> None:
    given = {"text": "a", "extra": {"items": [1]}}

    _parsed(add_item, given).extra["items"].append(2)

    assert given == {"text": "a", "extra": {"items": [1]}}


def test_an_input_is_validated_as_json_is() -> None:
    assert _parsed(with_strict, {"pair": [1, 2]}) == Strict(pair=(1, 2))


@pytest.mark.parametrize(
    ("input", "field", "reason"),
    [
        ({}, "text", "Field required"),
        ({"text": 1}, "text", "Input should be a valid string"),
        ([], "input", "Input should be an object"),
        ({"text": {1}}, "input", "is not JSON: Type is not JSON serializable: set"),
    ],
)
def test_an_input_that_does_not_fit_names_field_and_reason(
    input: Any, field: str, reason: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        _parsed(add_item, input)

    assert refused.value.facts == {"field": field, "reason": reason}


def test_the_schema_tells_a_client_what_to_send() -> None:
    assert _reducer(add_item).schema()["required"] == ["text"]
    assert _reducer(with_dict).schema() == {"type": "object"}
    assert _reducer(untyped).schema() == {}


def test_a_class_that_only_the_defining_function_knows_is_found_by_name() -> None:
    class Local(BaseModel):
        number: int

    def with_local(state: Any, input: Local) -> Any:
        return input

    assert _reducer(with_local, names=locals()).parse(b'{"number":1}') == Local(number=1)
    with pytest.raises(InvalidModelError, match="'Local' is not defined; define or import it"):
        _reducer(with_local)


async def asynchronous(state: Any, input: Any) -> None: ...


async def asynchronous_generator(state: Any, input: Any) -> AsyncIterator[None]:
    yield


def generator(state: Any, input: Any) -> Iterator[None]:
    yield


def alone(state: Any) -> None: ...


def crowd(state: Any, input: Any, context: Any, more: Any) -> None: ...


def variadic(state: Any, *inputs: Any) -> None: ...


def keyword(state: Any, input: Any, *, more: int = 1) -> None: ...


def strange(state: Any, input: object()) -> None: ...  # type: ignore[valid-type]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (asynchronous, "asynchronous is async: a reducer only computes; write def"),
        (asynchronous_generator, "is async"),
        (generator, "generator yields: a reducer returns the new state"),
        (alone, r"alone: a reducer takes \(state, input\) or \(state, input, context\)"),
        (crowd, "a reducer takes"),
        (variadic, "a reducer takes"),
        (keyword, "a reducer takes"),
        (lambda state, input: state, "'<LAMBDA>' is no action type"),
        (strange, "strange: .* is no class for an input: derive one from pydantic.BaseModel"),
    ],
)
def test_a_function_that_cannot_be_a_reducer_is_refused(function: Any, message: str) -> None:
    with pytest.raises(InvalidModelError, match=message):
        _reducer(function)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"action_type": "has space"}, "'has space' is no action type"),
        ({"action_type": "CREATE_DOCUMENT"}, "CREATE_DOCUMENT is the platform's"),
        ({"action_type": "UNDO"}, "UNDO is the platform's"),
        ({"scope": "document"}, "the scope document is the platform's"),
        ({"scope": "a/b"}, "scope: must match"),
        ({"version": 0}, "version 0 must be a number from 1 on"),
        ({"version": True}, "version True must be"),
    ],
)
def test_names_and_versions_that_cannot_work_are_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidModelError, match=message):
        _reducer(add_item, **options)


def test_what_is_fine_passes_without_a_word() -> None:
    check_scope(None, "here")
    check_scope("local", "here")
    check_version(2, "here", least=2)
