"""What was accepted of a document has a key that no operation can have."""

from __future__ import annotations

from docreactor.pipeline.accepted import Accepted, accepted_document, accepted_key
from docreactor.pipeline.erased import erased_document, erased_key
from docreactor.pipeline.keys import Stream, record_key

ACCEPTED = Accepted(
    "shop-1",
    "2026-01-02T03:04:05.000006Z",
    {"draft/main": 1, "global/main": 7, "document/main": 2, "global/other": 0},
)


def test_the_key_names_the_document() -> None:
    assert accepted_document(accepted_key("shop-1")) == "shop-1"
    assert accepted_document(accepted_key("accepted")) == "accepted"


def test_no_other_records_key_is_like_it() -> None:
    for scope in ("global", "accepted"):
        assert accepted_document(record_key(Stream("d", scope, "accepted"), 7)) is None
    assert accepted_document(erased_key("shop-1")) is None
    assert erased_document(accepted_key("shop-1")) is None


def test_the_record_comes_back() -> None:
    assert Accepted.decode(ACCEPTED.encode()) == ACCEPTED


def test_a_documents_own_streams_come_first() -> None:
    streams = ACCEPTED.streams

    assert next(iter(streams)) == Stream("shop-1", "document", "main")
    assert streams[Stream("shop-1", "global", "main")] == 7
    assert len(streams) == 4
