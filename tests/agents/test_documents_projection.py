"""The documents table of one generation, fed by a lane."""

from __future__ import annotations

from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import StoreIdentity
from tests.support.deployments import deployment
from tests.support.nodes import LOG_ID, done, live, site


async def test_rows_of_another_log_are_thrown_away() -> None:
    place, store = site(), MemoryStore()
    store.begin(StoreIdentity("f" * 32, 1))
    store.write([(b"s/a", b"{}")], {place.topics.operations: Offset(0)}, now_ms=1)
    here = deployment(place)
    projection = DocumentsProjection(here, 0, store, here.shelf.take(0))
    assert await projection.open() == projection.position == 0
    assert store.get(b"s/a") is None
    assert store.identity is not None and store.identity.log_id == LOG_ID
    assert (projection.name, projection.row()) == ("documents", {})


async def test_what_it_is_given_it_shows_and_keeps_over_an_opening() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        shown = live(node).shown()
        position = shown.position
        assert position >= 2
        await shown.close()
        assert await shown.open() == position
        assert shown.table.document("d1", "main") is not None
        assert list(shown.quarantined()) == []
        assert shown.quarantine_of("d1") is None


async def test_a_document_that_is_derived_anew_leaves_no_more_rows_than_there_were() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        await done(node, place.job("d1", [("ADD", {"amount": 1})]))
        store = live(node).shown().table.store
        before = list(store.scan(b"", b"\xff"))
        await live(node).derived().retry("documents", "d1")
        assert list(store.scan(b"", b"\xff")) == before
