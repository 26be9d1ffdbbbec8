"""What a batch of operations means to those who subscribe to documents."""

from __future__ import annotations

from typing import Any

import orjson

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.placement import MOVED
from docreactor.gateway.events.notice import Notice
from docreactor.gateway.events.operations_fold import OperationsFold
from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import WHEN, creation, operation, scene
from tests.support.nodes import LOG_ID


async def notices(*entries: Entry) -> list[Notice]:
    """Those of one batch of these records."""
    fold = OperationsFold(LOG_ID)
    async with scene() as here:
        topic = here.place.topics.operations
        end = await here.store(*entries)
        for record in here.place.records(topic):
            fold.add(record)
    return list(fold.batch(TopicPartition(topic, 0), Offset(0), Offset(end)).notices)


def said(notice: Notice) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(notice.data)
    return data


async def events(*entries: Entry) -> list[str]:
    return [f"{one.event} {one.ids[0]}" for one in await notices(*entries)]


async def test_a_document_that_is_created_in_a_batch_is_not_updated_too() -> None:
    (notice,) = await notices(*creation("d1"), operation("d1"), operation("d1", index=1))

    assert notice.event == "document.created"
    assert said(notice) == {
        "branch": "main",
        "document_id": "d1",
        "document_type": "test/ledger",
        "scopes": ["document", "global"],
        "token": f"{LOG_ID}.0-4",
    }


async def test_a_document_is_updated_once_in_a_batch_with_every_scope() -> None:
    (notice,) = await notices(
        operation("d1"), operation("d1", scope="local"), operation("d1", index=1)
    )

    assert notice.event == "document.updated"
    assert notice.scopes == {"global", "local"}
    assert said(notice)["scopes"] == ["global", "local"]
    assert notice.offset == 2


async def test_each_branch_is_told_of_by_itself() -> None:
    first, second = await notices(operation("d1"), operation("d1", branch="draft"))

    assert (first.branch, second.branch) == ("main", "draft")


async def test_a_creation_and_a_deletion_are_always_told() -> None:
    deleted = operation("d1", "DELETE_DOCUMENT", scope="document", index=2)

    assert await events(*creation("d1"), operation("d1"), deleted) == [
        "document.created d1",
        "document.deleted d1",
    ]
    (notice,) = await notices(operation("d1"), deleted)
    assert notice.event == "document.deleted"
    assert said(notice)["erased"] is False


async def test_what_has_an_error_or_was_only_moved_is_an_update() -> None:
    refused = operation("d1", "CREATE_DOCUMENT", scope="document", error="no")
    moved = operation("d2", "CREATE_DOCUMENT", scope="document", headers=MOVED)
    gone = operation("d3", "DELETE_DOCUMENT", scope="document", error="no")

    assert await events(refused, moved, gone) == [
        "document.updated d1",
        "document.updated d2",
        "document.updated d3",
    ]


async def test_an_erasure_is_a_deletion_of_which_nothing_else_is_known() -> None:
    erased = Entry(erased_key("d1"), Erased("d1", WHEN).encode())
    tombstones = [
        Entry(record_key(Stream("d1", "global", "main"), 0), None),
        Entry(accepted_key("d1"), None),
    ]

    (notice,) = await notices(*tombstones, erased)

    assert notice.event == "document.deleted"
    assert (notice.document_type, notice.branch, notice.scopes) == (None, None, None)
    assert said(notice)["erased"] is True
    assert said(notice)["scopes"] == []


async def test_a_document_whose_hashes_were_accepted_is_updated() -> None:
    labels = {"document/main": 1, "global/main": 5}
    both = {"global/main": 5, "global/draft": 5}

    one, other = await notices(
        Entry(accepted_key("d1"), Accepted("d1", WHEN, labels).encode()),
        Entry(accepted_key("d2"), Accepted("d2", WHEN, both).encode()),
    )

    assert (one.event, one.branch, one.scopes) == (
        "document.updated",
        "main",
        {"document", "global"},
    )
    assert (other.branch, other.document_type) == (None, None)


async def test_records_that_make_no_sense_are_passed_over() -> None:
    strange = [
        Entry(b"d1/global/main/0000000000", b"{"),
        Entry(b"d1/global/main/0000000000", operation("d1").value, (("v", b"9"),)),
        Entry(b"nonsense", operation("d1").value),
        Entry(None, b"{}"),
        Entry(b"\xff/global/main/0000000000", operation("d1").value),
        Entry(b"d1/accepted", b"[]"),
    ]

    assert await events(*strange, operation("d2")) == ["document.updated d2"]
