"""Rows about whole documents are written, found, and gone with the document."""

from __future__ import annotations

import pytest

from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.tables.lasting import Lasting, ranges
from docreactor.tables.memory import MemoryStore

TIME = "2026-01-02T03:04:05.000006Z"


def accepted(document_id: str) -> Accepted:
    return Accepted(document_id, TIME, {"global/main": 3})


def written(store: MemoryStore, *values: Accepted | Erased) -> Lasting:
    lasting = Lasting(store)
    for value in values:
        is_erased = isinstance(value, Erased)
        key = (erased_key if is_erased else accepted_key)(value.document_id)
        store.write(lasting.rows(key, value.encode()), {}, now_ms=1)
    return lasting


def test_what_was_erased_is_known() -> None:
    lasting = written(MemoryStore(), Erased("d", TIME))

    assert lasting.erased("d") == Erased("d", TIME)
    assert lasting.erased("d-1") is None


def test_what_was_accepted_is_listed_until_it_is_removed() -> None:
    store = MemoryStore()
    lasting = written(store, accepted("d"), accepted("d-1"))
    assert sorted(one.document_id for one in lasting.accepted()) == ["d", "d-1"]

    store.write(lasting.rows(accepted_key("d"), None), {}, now_ms=1)

    assert list(lasting.accepted()) == [accepted("d-1")]


def test_an_erasure_takes_what_was_accepted_with_it() -> None:
    lasting = written(MemoryStore(), accepted("d"), accepted("d-1"), Erased("d", TIME))

    assert list(lasting.accepted()) == [accepted("d-1")]


@pytest.mark.parametrize("key", [b"", b"d", b"a/b/", b"a/b/accepted"])
def test_what_is_neither_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="no key of operations"):
        Lasting(MemoryStore()).rows(key, b"{}")


def test_an_erasure_remembers_where_rows_may_still_lie_on_disk() -> None:
    lasting = written(MemoryStore(), Erased("d", TIME))

    ((document_id, found),) = lasting.remains.some(9)

    assert document_id == "d"
    assert set(ranges("d")) < set(found)


def test_ranges_hold_the_rows_of_one_document_alone() -> None:
    for start, end in ranges("d"):
        assert start.endswith(b"/d/")
        assert start < start + b"x" < end
        assert not start <= start[:-1] + b"-1/x" < end
