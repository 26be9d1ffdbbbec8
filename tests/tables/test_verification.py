"""A document is compared with all that was made of it; nothing is changed by that."""

from __future__ import annotations

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.finding import Fault
from docreactor.pipeline.keys import Stream
from docreactor.tables.operations import Head, OperationsTable
from docreactor.tables.slugs import Claim
from docreactor.tables.store import Row
from docreactor.tables.verification import verify
from tests.tables.verifiable import GLOBAL, Verifiable
from tests.tables.written import home


async def test_a_whole_document_has_no_findings() -> None:
    place = Verifiable.filled()

    verdict = await place.verdict()

    assert (verdict.findings, verdict.operations) == ([], 32)
    created_at = place.written.states[home("d")][0].state.created_at
    assert verdict.claims == [Claim("notes", "main", created_at, "d")]


async def test_every_branch_and_scope_is_looked_at() -> None:
    place = Verifiable.filled(5)
    place.written.create("d", "draft")
    place.written.add(Stream("d", "local", "main"), 3)
    place.written.add(Stream("d", "global", "draft"), 4)
    place.show()

    verdict = await place.verdict()

    assert (verdict.findings, verdict.operations) == ([], 2 + 5 + 2 + 3 + 4)


async def test_an_unknown_document_has_no_verdict() -> None:
    assert await verify(Verifiable().tables, "nobody") is None


async def test_a_quarantined_document_is_told_with_its_problem() -> None:
    place = Verifiable.filled()
    problem = encode({"title": "HashMismatch", "detail": "the model gives another state"})
    place.view.write([Row(b"q/d", problem)], {}, now_ms=1)

    (finding,) = (await place.verdict()).findings

    assert finding.fault is Fault.QUARANTINED
    assert finding.detail == "HashMismatch: the model gives another state"


async def test_streams_whose_document_cannot_be_replayed_are_told() -> None:
    place = Verifiable.filled(3)
    place.written.write([Row(b"o/d/document/main/0000000000", b"{}")])

    assert await place.faults() == [
        (Fault.CORRUPT_HISTORY, None),
        (Fault.UNDECODABLE, 0),
        (Fault.BROKEN_CHAIN, 1),
    ]


async def test_what_moves_while_it_is_walked_is_walked_again() -> None:
    place = Verifiable.filled(3)
    place.view.write([Row(b"s/d/global/main/", None)], {}, now_ms=1)
    looks = 0

    class Moving(OperationsTable):
        def streams_of(self, document_id: str) -> list[tuple[Stream, Head]]:
            nonlocal looks
            looks += 1
            if looks == 2:
                place.written.add(GLOBAL, 1)
                place.show()
            return super().streams_of(document_id)

    place.written.operations = Moving(place.written.store)

    assert (await place.verdict()).findings == []
    assert looks == 4


async def test_neither_caches_nor_keyframes_nor_tables_are_touched() -> None:
    place = Verifiable.filled()
    place.keep(7, content=b"{}")
    rows = list(place.written.store.scan(b"", b"~"))
    shown = list(place.view.scan(b"", b"~"))

    await place.verdict()

    assert list(place.written.store.scan(b"", b"~")) == rows
    assert list(place.view.scan(b"", b"~")) == shown
    assert place.keyframes.corrupted == 0
