"""How the states of one scope are made, read, written and checked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from docreactor.pipeline.canonical import JSON, decode, encode, encode_within
from docreactor.pipeline.depth import is_endless
from docreactor.pipeline.errors import (
    InvalidInputError,
    InvalidModelError,
    InvalidStateError,
    UndecodableRecordError,
)
from docreactor.pipeline.frozen import DEPTH_MAX, FrozenDict, freeze
from docreactor.pipeline.state import State, first_complaint, is_plain

StateClass = type[State] | type[dict[str, Any]]


class Form(Protocol):
    """What every scope of a model has: a class of its own, or free JSON."""

    @property
    def initial(self) -> Any:
        """The state that a scope starts from."""
        ...

    def given(self, content: JSON, where: str) -> Any:
        """The state that a caller describes. InvalidInput names the field below `where`."""
        ...

    def read(self, content: bytes) -> Any:
        """The state behind its stored bytes, or UndecodableRecord."""
        ...

    def write(self, state: Any) -> bytes:
        """Canonical JSON. InvalidState for what JSON cannot say."""
        ...

    def accept(self, result: Any, where: str) -> Any:
        """A reducer's result as a state that nobody can change, or InvalidState."""
        ...

    def schema(self) -> JSON:
        """The JSON Schema of its states."""
        ...


class ClassForm:
    """States of a class derived from State, every field of which has a default."""

    def __init__(self, kind: type[State]) -> None:
        self._kind = kind
        try:
            self._fields: Callable[[Any], Any] = vars if is_plain(kind) else _dumped
        except NameError as cause:
            raise InvalidModelError(
                f"{kind.__name__}: {cause.name} is not defined: define it before the model"
            ) from cause
        self._validator = TypeAdapter(kind).validator
        # What a class bounds need not be looked at again in each of its states.
        self._encode = partial(encode_within, DEPTH_MAX) if _is_endless(kind) else encode
        for name, field in kind.model_fields.items():
            if field.is_required():
                raise InvalidModelError(
                    f"{kind.__name__}.{name} has no default: a document starts from the defaults"
                )
        try:
            self.initial: State = kind()
        except ValidationError as cause:
            field_name, reason = first_complaint(cause)
            raise InvalidModelError(f"default of {kind.__name__}.{field_name}: {reason}") from cause

    def given(self, content: JSON, where: str) -> Any:
        try:
            return self._validator.validate_json(encode_within(DEPTH_MAX, content))
        except ValidationError as cause:
            field, reason = first_complaint(cause)
            raise InvalidInputError(f"{where}.{field}" if field else where, reason) from cause
        except TypeError as cause:
            raise InvalidInputError(where, f"is not JSON: {cause}") from cause

    def read(self, content: bytes) -> Any:
        try:
            return self._validator.validate_json(content)
        except ValidationError as cause:
            field, reason = first_complaint(cause)
            where = f"{self._kind.__name__}.{field}" if field else self._kind.__name__
            raise UndecodableRecordError(f"{where}: {reason}") from cause

    def write(self, state: Any) -> bytes:
        try:
            return self._encode(self._fields(state), _inside)
        except (TypeError, ValueError) as cause:
            raise InvalidStateError(self._kind.__name__, f"is not JSON: {cause}") from cause

    def accept(self, result: Any, where: str) -> Any:
        if type(result) is self._kind:
            return result
        raise InvalidStateError(where, _wrong(result, f"a {self._kind.__name__}"))

    def schema(self) -> JSON:
        return self._kind.model_json_schema(mode="serialization")


def _is_endless(kind: type[State]) -> bool:
    try:
        return is_endless(kind.model_json_schema(mode="serialization"))
    except PydanticUserError:
        return True


class JsonForm:
    """States that are JSON objects of any content."""

    initial = FrozenDict()

    def given(self, content: JSON, where: str) -> Any:
        if not isinstance(content, dict):
            raise InvalidInputError(where, "must be an object")
        try:
            return freeze(content)
        except ValueError as cause:
            raise InvalidInputError(where, str(cause)) from cause

    def read(self, content: bytes) -> Any:
        try:
            state = freeze(decode(content))
        except ValueError as cause:
            raise UndecodableRecordError(f"state: {cause}") from cause
        if not isinstance(state, FrozenDict):
            raise UndecodableRecordError("state: must be an object")
        return state

    def write(self, state: Any) -> bytes:
        try:
            return encode_within(DEPTH_MAX, state)
        except TypeError as cause:
            raise InvalidStateError("state", f"is not JSON: {cause}") from cause

    def accept(self, result: Any, where: str) -> Any:
        if not isinstance(result, dict):
            raise InvalidStateError(where, _wrong(result, "a dict"))
        try:
            return freeze(result)
        except ValueError as cause:
            raise InvalidStateError(where, str(cause)) from cause

    def schema(self) -> JSON:
        return {"type": "object"}


def form_of(kind: Any, where: str) -> Form:
    """The form of the states that `state=` names. InvalidModel for what cannot be one."""
    if kind is dict:
        return JsonForm()
    if isinstance(kind, type) and issubclass(kind, State) and kind is not State:
        return ClassForm(kind)
    raise InvalidModelError(
        f"{where}: state {kind!r} must be dict or a class derived from docreactor.State"
    )


def _inside(part: object) -> Any:
    if isinstance(part, State):
        return vars(part)
    raise TypeError(f"a {type(part).__name__}")


def _dumped(state: State) -> Any:
    return state.model_dump(mode="json")


def _wrong(result: object, wanted: str) -> str:
    if result is None:
        return f"returned None: return the new state, {wanted}"
    return f"returned a {type(result).__name__}: return {wanted}"
