"""What subscribers of the Python client get."""

from docreactor.gateway.events.answers import DocumentEvent, RelationshipEvent


def test_what_a_newer_server_adds_is_kept() -> None:
    event = DocumentEvent.model_validate(
        {
            "event": "document.deleted",
            "cursor": "c",
            "document_id": "d1",
            "document_type": None,
            "branch": None,
            "scopes": [],
            "token": "t",
            "erased": True,
            "reason": "asked for",
        }
    )

    assert event.erased
    assert event.model_dump()["reason"] == "asked for"


def test_an_edge_tells_what_became_of_it() -> None:
    event = RelationshipEvent(
        event="relationship.changed",
        cursor="c",
        source_id="d1",
        target_id="d2",
        type="child",
        branch="main",
        change="removed",
        token="t",
    )

    assert event.change == "removed"
