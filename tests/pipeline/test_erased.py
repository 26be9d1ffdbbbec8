"""What stays of an erased document has a key that no operation can have."""

from __future__ import annotations

from docreactor.pipeline.erased import Erased, erased_document, erased_key
from docreactor.pipeline.keys import Stream, record_key


def test_the_key_names_the_document() -> None:
    assert erased_document(erased_key("shop-1")) == "shop-1"


def test_no_operations_key_is_like_it() -> None:
    assert erased_document(record_key(Stream("shop-1", "global", "main"), 7)) is None
    assert erased_document(b"") is None
    assert erased_document(b"shop-1") is None


def test_the_record_comes_back() -> None:
    erased = Erased("shop-1", "2026-01-02T03:04:05.000006Z")

    assert Erased.decode(erased.encode()) == erased
    assert erased.encode() == (
        b'{"document_id":"shop-1","erased_at":"2026-01-02T03:04:05.000006Z"}'
    )
