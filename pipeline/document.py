"""What a document is: what its creation fixed and its `document` scope, both from operations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field

from docreactor.pipeline.action import (
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    RELATIONSHIP_ACTIONS,
    UPGRADE_DOCUMENT,
)
from docreactor.pipeline.context import Origin
from docreactor.pipeline.errors import (
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    DowngradeNotSupportedError,
    InvalidInputError,
    UnknownActionError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.inputs import (
    SYSTEM_INPUTS,
    CreateInput,
    DeleteInput,
    UnrelateInput,
    UpgradeInput,
    read_input,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.record import Record

PROTOCOL_VERSIONS: Mapping[str, int] = {"base-reducer": 2}
FIRST_VERSION = 1
_HASH = {"algorithm": "sha256", "encoding": "base64url"}


class Upgraded(Record):
    """One step of a document's version. `initial_state` sets the states of scopes."""

    timestamp: str
    from_version: int
    to_version: int
    initial_state: dict[str, Any] = Field(default_factory=dict)


class Document(Record):
    """The value of a `document` scope: the fold of its operations.

    `slug`, `name` and `meta` are what the creation gave: what was said since, in any scope, is
    kept with the streams, as are revisions and the time of the last change. `upgrades` ascend by
    time, but for the first, which gave the document its version.
    """

    id: str
    document_type: str
    slug: str
    name: str | None
    branch: str
    created_at: str
    protocol_versions: dict[str, int]
    meta: dict[str, Any]
    upgrades: tuple[Upgraded, ...] = ()
    is_deleted: bool = False
    deleted_at: str | None = None

    @cached_property
    def origin(self) -> Origin:
        """What a reducer may know of the header."""
        return Origin(self.id, self.document_type, self.branch, self.created_at)

    @property
    def version(self) -> int:
        """Of its model: 0 between creation and the first upgrade."""
        return self.upgrades[-1].to_version if self.upgrades else 0

    @property
    def first(self) -> Upgraded:
        """What its scopes began with."""
        if self.upgrades and self.upgrades[0].from_version == 0:
            return self.upgrades[0]
        return Upgraded(timestamp=self.created_at, from_version=0, to_version=FIRST_VERSION)

    @property
    def given_scopes(self) -> set[str]:
        """The scopes that an upgrade gave a state."""
        return {scope for upgrade in self.upgrades for scope in upgrade.initial_state}

    def version_at(self, timestamp: str) -> int:
        """The version in force for an action of that time in another scope."""
        upgrades = self.upgrades
        if len(upgrades) == 1 and not upgrades[0].from_version:
            return upgrades[0].to_version
        version = self.first.to_version
        for upgrade in self.upgrades:
            if upgrade.from_version and upgrade.timestamp <= timestamp:
                version = upgrade.to_version
        return version

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
    """Apply one of the actions of scope `document`. Pure.

    Raises the named refusal; the document is then as it was.
    """
    if action_type == CREATE_DOCUMENT:
        return _create(document, read_input(CreateInput, input), timestamp, stream)
    if document is None:
        raise DocumentNotFoundError(stream.document_id, stream.branch)
    if action_type == UPGRADE_DOCUMENT:
        return _upgrade(document, read_input(UpgradeInput, input), timestamp)
    if action_type == DELETE_DOCUMENT:
        _own("document_id", read_input(DeleteInput, input).document_id, stream)
        if document.is_deleted:
            raise DocumentDeletedError(document.id, document.deleted_at)
        return document.model_copy(update={"is_deleted": True, "deleted_at": timestamp})
    if action_type in RELATIONSHIP_ACTIONS:
        _relate(action_type, input, stream)
        return document
    raise UnknownActionError(document.document_type, action_type, stream.scope)


def _create(
    document: Document | None, given: CreateInput, timestamp: str, stream: Stream
) -> Document:
    if document is not None:
        raise DocumentAlreadyExistsError(stream.document_id, stream.branch)
    _own("document_id", given.document_id, stream)
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


def _upgrade(document: Document, given: UpgradeInput, timestamp: str) -> Document:
    if given.document_id != document.id:
        raise InvalidInputError("document_id", f"is not the document's own {document.id}")
    if given.model != document.document_type:
        raise InvalidInputError("model", f"is not the document's own {document.document_type}")
    if given.to_version < FIRST_VERSION:
        raise InvalidInputError("to_version", f"must be {FIRST_VERSION} at least")
    if given.from_version > given.to_version:
        raise DowngradeNotSupportedError(
            document.document_type, from_version=given.from_version, to_version=given.to_version
        )
    version = document.version
    if given.from_version:
        version = version or FIRST_VERSION
    if given.from_version != version:
        raise UpgradePreconditionFailedError(
            document.id, what="version", expected=given.from_version, actual=version
        )
    if given.to_version == given.from_version:
        return document
    upgrade = Upgraded(
        timestamp=timestamp,
        from_version=given.from_version,
        to_version=given.to_version,
        initial_state=given.initial_state or {},
    )
    return document.model_copy(update={"upgrades": (*document.upgrades, upgrade)})


def _relate(action_type: str, input: Any, stream: Stream) -> None:
    kind = SYSTEM_INPUTS[action_type]
    given = read_input(kind, input)
    assert isinstance(given, UnrelateInput), "every relationship names its two ends"
    _own("source_id", given.source_id, stream)
    if given.target_id == given.source_id:
        raise InvalidInputError("target_id", "must be another document than source_id")


def _own(field: str, given: str, stream: Stream) -> None:
    if given != stream.document_id:
        raise InvalidInputError(field, f"is not the document's own {stream.document_id}")
