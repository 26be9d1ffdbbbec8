"""What a document is."""

import pytest

from docreactor.pipeline.action import CREATE_DOCUMENT, DELETE_DOCUMENT, UPGRADE_DOCUMENT
from docreactor.pipeline.document import Document, apply_system
from docreactor.pipeline.errors import (
    DocumentAlreadyExistsError,
    DocumentDeletedError,
    DocumentNotFoundError,
    DowngradeNotSupportedError,
    InvalidInputError,
    UnknownActionError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.keys import Stream

STREAM = Stream("d1", "document", "main")
T0, T1, T2 = (f"2026-11-21T00:00:0{second}.000000Z" for second in range(3))


def _created(**changes: object) -> Document:
    given = {"model": "t/todo", "document_id": "d1"} | changes
    return apply_system(None, CREATE_DOCUMENT, given, T0, STREAM)


def _upgraded(document: Document, **changes: object) -> Document:
    given = {"model": "t/todo", "document_id": "d1", "from_version": 0, "to_version": 1} | changes
    return apply_system(document, UPGRADE_DOCUMENT, given, T1, STREAM)


def test_an_empty_slug_becomes_the_document_id() -> None:
    assert _created(slug="").slug == "d1"
    assert _created(slug="todo-list").slug == "todo-list"


def test_the_protocol_is_the_reactors_own_unless_given() -> None:
    assert _created().protocol_versions == {"base-reducer": 2}
    assert _created(protocol_versions={"base-reducer": 1}).protocol_versions == {"base-reducer": 1}


def test_a_created_document_has_version_0_until_its_first_upgrade() -> None:
    created = _created()
    assert created.state["version"] == 0
    assert _upgraded(created).state == {
        "version": 1,
        "hash": {"algorithm": "sha256", "encoding": "base64url"},
    }


def test_the_upgrade_brings_the_initial_state() -> None:
    document = _upgraded(_created(), initial_state={"global": {"items": ["a"]}})
    assert document.first.initial_state == {"global": {"items": ["a"]}}


def test_a_deleted_document_says_when() -> None:
    deleted = apply_system(
        _upgraded(_created()), DELETE_DOCUMENT, {"document_id": "d1"}, T2, STREAM
    )
    assert deleted.state["is_deleted"] is True
    assert deleted.state["deleted_at"] == T2
    with pytest.raises(DocumentDeletedError):
        apply_system(deleted, DELETE_DOCUMENT, {"document_id": "d1"}, T2, STREAM)


def test_an_action_leaves_the_document_that_it_was_given_as_it_was() -> None:
    created = _created()
    _upgraded(created)
    assert created.version == 0


def test_what_the_creation_fixed_is_what_reducers_may_know() -> None:
    origin = _upgraded(_created(name="n")).origin
    assert (origin.id, origin.document_type, origin.branch, origin.created_at) == (
        "d1",
        "t/todo",
        "main",
        T0,
    )


def test_each_refusal_has_its_name() -> None:
    created = _created()
    with pytest.raises(DocumentAlreadyExistsError):
        apply_system(created, CREATE_DOCUMENT, {"model": "t", "document_id": "d1"}, T1, STREAM)
    with pytest.raises(DocumentNotFoundError):
        apply_system(None, DELETE_DOCUMENT, {"document_id": "d1"}, T1, STREAM)
    with pytest.raises(UnknownActionError):
        apply_system(created, "PAINT", {}, T1, STREAM)
    with pytest.raises(UpgradePreconditionFailedError, match="version is 1"):
        _upgraded(created, from_version=3, to_version=4)
    with pytest.raises(DowngradeNotSupportedError):
        _upgraded(created, from_version=3)
    with pytest.raises(InvalidInputError, match="to_version"):
        _upgraded(created, to_version=0)
    with pytest.raises(InvalidInputError, match="document_id"):
        _created(document_id="other")
    with pytest.raises(InvalidInputError, match="branch"):
        _created(branch="draft")
    with pytest.raises(InvalidInputError, match="colour"):
        _created(colour="red")
