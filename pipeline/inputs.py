"""What the platform's own actions carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, ValidationError, field_validator

from docreactor.pipeline.action import (
    ADD_RELATIONSHIP,
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    DOCUMENT_SCOPE,
    LOAD_STATE,
    NOOP,
    PRUNE,
    REDO,
    REMOVE_RELATIONSHIP,
    SET_META,
    SET_NAME,
    SET_SLUG,
    SYSTEM_ACTIONS,
    UNDO,
    UPDATE_RELATIONSHIP,
    UPGRADE_DOCUMENT,
)
from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.errors import (
    InvalidInputError,
    UnknownActionError,
    UnsupportedActionError,
)
from docreactor.pipeline.frozen import freeze
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.record import Record

DEFAULT_BRANCH = "main"
SLUG_CHARACTERS_MAX = 1_000
_Input = TypeVar("_Input", bound=Record)

_Number = Annotated[int, Field(strict=True, ge=0, lt=2**53)]
"""No text that could be read as one: what it means must be the same to whoever looks at it."""

_Weight = Annotated[float, Field(strict=True, allow_inf_nan=False)]

_Value = Annotated[Any, AfterValidator(freeze)]
"""JSON that is not nested too deep to be kept inside of something else."""


class CreateInput(Record):
    """Input of CREATE_DOCUMENT. An empty slug becomes the document id."""

    model: str
    document_id: str
    version: _Number = 0
    slug: str | None = Field(default=None, max_length=SLUG_CHARACTERS_MAX)
    name: str | None = None
    branch: str = DEFAULT_BRANCH
    meta: dict[str, _Value] = Field(default_factory=dict)
    protocol_versions: dict[str, _Number] | None = None


class UpgradeInput(Record):
    """Input of UPGRADE_DOCUMENT. `initial_state` holds a JSON state per scope.

    `revision` holds the next index of every scope that the upgrade was made for.
    """

    model: str
    document_id: str
    from_version: _Number
    to_version: _Number
    initial_state: dict[str, Any] | None = None
    revision: dict[str, _Number] | None = None


class DeleteInput(Record):
    """Input of DELETE_DOCUMENT."""

    document_id: str


class UnrelateInput(Record):
    """Input of REMOVE_RELATIONSHIP: an edge of the document to another one."""

    source_id: str
    target_id: str
    relationship_type: str

    @field_validator("target_id")
    @classmethod
    def _target(cls, value: str) -> str:
        return _checked(check_id, value)

    @field_validator("relationship_type")
    @classmethod
    def _type(cls, value: str) -> str:
        return _checked(check_name, value)


class RelateInput(UnrelateInput):
    """Input of ADD_RELATIONSHIP and UPDATE_RELATIONSHIP. The target need not exist."""

    metadata: _Value = None
    weight: _Weight | None = None


class NameInput(Record):
    """Input of SET_NAME."""

    name: str | None


class SlugInput(Record):
    """Input of SET_SLUG. An empty slug is the document's id."""

    slug: str = Field(max_length=SLUG_CHARACTERS_MAX)


class MetaInput(Record):
    """Input of SET_META. A value of null removes the key."""

    key: str = Field(min_length=1, max_length=200)
    value: _Value = None


class LoadStateInput(Record):
    """Input of LOAD_STATE: the whole state of the action's scope, and the document's name."""

    state: Any
    name: str | None = None


class NoInput(Record):
    """Input of UNDO, REDO and NOOP: an empty object, or nothing."""


SYSTEM_INPUTS: Mapping[str, type[Record]] = {
    CREATE_DOCUMENT: CreateInput,
    UPGRADE_DOCUMENT: UpgradeInput,
    DELETE_DOCUMENT: DeleteInput,
    ADD_RELATIONSHIP: RelateInput,
    UPDATE_RELATIONSHIP: RelateInput,
    REMOVE_RELATIONSHIP: UnrelateInput,
}
"""Of the actions of scope `document`."""

BASE_INPUTS: Mapping[str, type[Record]] = {
    SET_NAME: NameInput,
    SET_SLUG: SlugInput,
    SET_META: MetaInput,
    LOAD_STATE: LoadStateInput,
    NOOP: NoInput,
    UNDO: NoInput,
    REDO: NoInput,
}
"""Of the actions that every model has."""


def check_base(document_type: str, scope: str, action_type: str, input: JSON) -> None:
    """InvalidInput, UnknownAction or UnsupportedAction unless it is one of the platform's."""
    if action_type == PRUNE:
        raise UnsupportedActionError(
            PRUNE,
            "operations are never rewritten; keyframes make long histories cheap to read, "
            "erasure removes a document, and LOAD_STATE sets a state",
        )
    kind = BASE_INPUTS.get(action_type)
    if scope == DOCUMENT_SCOPE:
        kind = SYSTEM_INPUTS.get(action_type, kind)
    elif action_type in SYSTEM_ACTIONS:
        kind = None
    if kind is None or (scope == DOCUMENT_SCOPE and action_type == LOAD_STATE):
        raise UnknownActionError(document_type, action_type, scope)
    read_input(kind, input)


def read_input(kind: type[_Input], input: Any) -> _Input:
    """The input as this kind, or InvalidInput naming the field."""
    if input is None and kind is NoInput:
        input = {}
    try:
        return kind.model_validate(input)
    except ValidationError as cause:
        first = cause.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "input"
        raise InvalidInputError(field, first["msg"]) from cause


def _checked(check: Any, value: str) -> str:
    try:
        return str(check(value, field="value"))
    except InvalidInputError as error:
        raise ValueError(error.facts["reason"]) from error
