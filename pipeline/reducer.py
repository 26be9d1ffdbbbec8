"""One author's function for one type of action, ready to be called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, get_origin, get_type_hints

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from docreactor.pipeline.action import (
    DOCUMENT_SCOPE,
    LOAD_STATE,
    MARKERS,
    NOOP,
    PRUNE,
    SYSTEM_ACTIONS,
)
from docreactor.pipeline.canonical import JSON, decode, encode
from docreactor.pipeline.errors import InvalidInputError, InvalidModelError
from docreactor.pipeline.frozen import freeze
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.state import first_complaint

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,99}", re.ASCII)
_RESERVED = SYSTEM_ACTIONS | MARKERS | {LOAD_STATE, NOOP, PRUNE}
_RAW = (Any, object, JsonValue, inspect.Parameter.empty)


@dataclass(frozen=True, slots=True)
class Reducer:
    """What happens to a state when an action of this type arrives.

    `scope` is None where it serves every scope; `version` is the first that it serves. `parse`
    gives the function's input from an action's, as canonical JSON, or InvalidInput.
    """

    action_type: str
    scope: str | None
    version: int
    function: Callable[..., Any]
    takes_context: bool
    parse: Callable[[bytes], Any]
    schema: Callable[[], JSON]


def reducer_of(
    function: Callable[..., Any],
    *,
    action_type: str | None,
    scope: str | None,
    version: int,
    names: Mapping[str, Any],
) -> Reducer:
    """Read a function's signature; `names` are those its annotations may use besides its module's.

    InvalidModel for a function that cannot be a reducer.
    """
    where: str = getattr(function, "__name__", repr(function))
    check_plain(function, where)
    action_type = action_type or where.upper()
    if not _TYPE.fullmatch(action_type):
        raise InvalidModelError(
            f"{where}: {action_type!r} is no action type: give one that matches {_TYPE.pattern}"
        )
    if action_type in _RESERVED:
        raise InvalidModelError(f"{where}: {action_type} is the platform's: take another type")
    check_scope(scope, where)
    check_version(version, where, least=1)
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) != len(parameters) or len(parameters) not in (2, 3):
        raise InvalidModelError(
            f"{where}: a reducer takes (state, input) or (state, input, context)"
        )
    annotation = _resolved(function, parameters[1].annotation, names, where)
    parse, schema = _input(annotation, where)
    return Reducer(action_type, scope, version, function, len(parameters) == 3, parse, schema)


def check_plain(function: Callable[..., Any], where: str) -> None:
    """InvalidModel unless calling the function runs it to its end."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidModelError(f"{where} is async: a reducer only computes; write def")
    if inspect.isgeneratorfunction(function):
        raise InvalidModelError(f"{where} yields: a reducer returns the new state")


def check_scope(scope: str | None, where: str) -> None:
    """InvalidModel for a scope that no model may have."""
    if scope == DOCUMENT_SCOPE:
        raise InvalidModelError(f"{where}: the scope {scope} is the platform's: take another")
    try:
        check_name("global" if scope is None else scope, field="scope")
    except InvalidInputError as cause:
        raise InvalidModelError(f"{where}: {cause}") from cause


def check_version(version: int, where: str, *, least: int) -> None:
    """InvalidModel unless the version is a whole number of at least `least`."""
    if type(version) is not int or version < least:
        raise InvalidModelError(f"{where}: version {version!r} must be a number from {least} on")


def _resolved(
    function: Callable[..., Any], annotation: Any, names: Mapping[str, Any], where: str
) -> Any:
    """The class behind the input's annotation. The other annotations may stay unknown."""
    holder = SimpleNamespace(__annotations__={"input": annotation})
    known = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return get_type_hints(holder, known, {**names}, include_extras=True)["input"]
    except NameError as cause:
        raise InvalidModelError(
            f"{where}: the class of its input is not known here: {cause}; "
            "define or import it before the reducer"
        ) from cause


def input_content(input: JSON) -> bytes:
    """An action's input as `Reducer.parse` takes it. InvalidInput for what JSON cannot say."""
    try:
        return encode(input)
    except TypeError as cause:
        raise InvalidInputError("input", f"is not JSON: {cause}") from cause


def _input(annotation: Any, where: str) -> tuple[Callable[[bytes], Any], Callable[[], JSON]]:
    if annotation in _RAW:
        return _raw, dict
    if (get_origin(annotation) or annotation) is dict:
        return _raw_object, lambda: {"type": "object"}
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except PydanticUserError as cause:
        raise InvalidModelError(
            f"{where}: {annotation!r} is no class for an input: derive one from pydantic.BaseModel"
        ) from cause
    validate = adapter.validator.validate_json

    def parse(content: bytes) -> Any:
        try:
            return validate(content)
        except ValidationError as cause:
            field, reason = first_complaint(cause)
            raise InvalidInputError(field or "input", reason) from cause

    return parse, adapter.json_schema


def _raw(content: bytes) -> Any:
    try:
        return freeze(decode(content))
    except ValueError as cause:
        raise InvalidInputError("input", str(cause)) from cause


def _raw_object(content: bytes) -> Any:
    if not content.startswith(b"{"):
        raise InvalidInputError("input", "must be an object")
    return _raw(content)
