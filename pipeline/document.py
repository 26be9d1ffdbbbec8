"""What a document is: its header and the state of its `document` scope, both from operations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from docreactor.pipeline.action import CREATE_DOCUMENT, DELETE_DOCUMENT, UPGRADE_DOCUMENT
from docreactor.pipeline.context import Origin
from docreactor.pipeline.errors import (
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    InvalidInputError,
    UnknownActionError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.record import Record

DEFAULT_BRANCH = "main"
PROTOCOL_VERSIONS: Mapping[str, int] = {"base-reducer": 2}
_Input = TypeVar("_Input", bound=Record)
_HASH = {"algorithm": "sha256", "encoding": "base64url"}


class CreateInput(Record):
    """Input of CREATE_DOCUMENT. An empty slug becomes the document id."""

    model: str
    document_id: str
    version: int = 0
    slug: str | None = None
    name: str | None = None
    branch: str = DEFAULT_BRANCH
    meta: dict[str, Any] = Field(default_factory=dict)
    protocol_versions: dict[str, int] | None = None


class UpgradeInput(Record):
    """Input of UPGRADE_DOCUMENT. `initial_state` holds a JSON state per scope."""

    model: str
    document_id: str
    from_version: int
    to_version: int
    initial_state: dict[str, Any] | None = None


class DeleteInput(Record):
    """Input of DELETE_DOCUMENT."""

    document_id: str


class Document(Record):
    """The value of a `document` scope: the fold of its operations.

    `version` is 0 between creation and the first upgrade. Revisions and the time of the last
    change belong to the streams and are kept beside it.
    """

    id: str
    document_type: str
    slug: str
    name: str | None
    branch: str
    created_at: str
    protocol_versions: dict[str, int]
    meta: dict[str, Any]
    version: int = 0
    is_deleted: bool = False
    deleted_at: str | None = None
    initial_state: dict[str, Any] = Field(default_factory=dict)

    @cached_property
    def origin(self) -> Origin:
        """What a reducer may know of the header."""
        return Origin(self.id, self.document_type, self.branch, self.created_at)

    @property
    def state(self) -> dict[str, Any]:
        """The JSON of scope `document`, which its operations' hashes are of."""
        state: dict[str, Any] = {"version": self.version, "hash": _HASH}
        if self.is_deleted:
            state |= {"is_deleted": True, "deleted_at": self.deleted_at}
        return state


def apply_system(
    document: Document | None, action_type: str, input: Any, timestamp: str, stream: Stream
) -> Document:
    """Apply one of the platform's own actions. Pure.

    Raises the named refusal; the document is then as it was.
    """
    if action_type == CREATE_DOCUMENT:
        return _create(document, _read(CreateInput, input), timestamp, stream)
    if document is None:
        raise DocumentNotFoundError(stream.document_id, stream.branch)
    if action_type == UPGRADE_DOCUMENT:
        return _upgrade(document, _read(UpgradeInput, input))
    if action_type == DELETE_DOCUMENT:
        _read(DeleteInput, input)
        if document.is_deleted:
            raise DocumentDeletedError(document.id, document.deleted_at)
        return document.model_copy(update={"is_deleted": True, "deleted_at": timestamp})
    raise UnknownActionError(document.document_type, action_type, stream.scope)


def _create(
    document: Document | None, given: CreateInput, timestamp: str, stream: Stream
) -> Document:
    if document is not None:
        raise DocumentAlreadyExistsError(stream.document_id, stream.branch)
    if given.document_id != stream.document_id:
        raise InvalidInputError("document_id", f"is not the document's own {stream.document_id}")
    if given.branch != stream.branch:
        raise InvalidInputError("branch", f"is not the job's own {stream.branch}")
    return Document(
        id=given.document_id,
        document_type=given.model,
        slug=given.slug or given.document_id,
        name=given.name,
        branch=given.branch,
        created_at=timestamp,
        protocol_versions=dict(given.protocol_versions or PROTOCOL_VERSIONS),
        meta=given.meta,
    )


def _upgrade(document: Document, given: UpgradeInput) -> Document:
    if given.from_version != document.version:
        raise InvalidInputError("from_version", f"the document is at version {document.version}")
    if given.to_version <= given.from_version:
        raise InvalidInputError("to_version", "must be greater than from_version")
    initial_state = document.initial_state | (given.initial_state or {})
    return document.model_copy(update={"version": given.to_version, "initial_state": initial_state})


def _read(model: type[_Input], input: Any) -> _Input:
    try:
        return model.model_validate(input)
    except ValidationError as cause:
        first = cause.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "input"
        raise InvalidInputError(field, first["msg"]) from cause
