"""A document that was derived anew while its read model lags: it shows what others lack yet."""

from __future__ import annotations

from collections.abc import Mapping

from docreactor.agents.acceptance import accept
from docreactor.agents.node import Node
from docreactor.pipeline.job import Erasure, Job, JobStatus
from docreactor.tables.store import Store
from tests.agents.test_read_models import Sick
from tests.support.nodes import Site, done, live, site, total, until

ADD = "ADD"


async def _written(node: Node, job: Job) -> None:
    """Written, and not shown."""
    offset = await node.submit(job)
    result = await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
    assert result.status is JobStatus.WRITE_READY


async def _retried(node: Node, document_id: str) -> None:
    async def stored(_: int) -> None:
        return None

    await live(node).shown().retry(document_id, stored)


async def _caught_up(node: Node) -> None:
    await until(lambda: live(node).viewed.next_offset >= live(node).written.next_offset)


def _asides(store: Store) -> Mapping[bytes, bytes]:
    return dict(store.scan(b"q/", b"q0"))


async def _lagging(place: Site, node: Node, sick: Sick) -> None:
    await done(node, place.creation("d1"))
    await done(node, place.job("d1", [(ADD, {"amount": 1})]))
    sick.is_full = True


async def test_it_goes_on_where_the_others_are_as_far() -> None:
    place, sick = site(), Sick()
    place.stores["0/documents"] = sick
    async with place.node() as node:
        await _lagging(place, node, sick)
        await _written(node, place.job("d1", [(ADD, {"amount": 2})]))
        await _retried(node, "d1")
        assert await total(node, "d1") == 3
        await _written(node, place.job("d1", [(ADD, {"amount": 4})]))
        sick.is_full = False
        await _caught_up(node)
        assert await total(node, "d1") == 7
        assert list(live(node).documents.quarantined()) == []
        await done(node, place.job("d1", [(ADD, {"amount": 8})]))
        assert _asides(sick) == {}


async def test_an_acceptance_that_it_shows_already_takes_it_back_to_nothing_earlier() -> None:
    place, sick = site(), Sick()
    place.stores["0/documents"] = sick
    async with place.node() as node:
        await _lagging(place, node, sick)
        part = live(node)
        await accept(part.tables.write, node.registry, part.chores, "d1", node.now_us)
        await _written(node, place.job("d1", [(ADD, {"amount": 2})]))
        await _written(node, place.job("d1", [(ADD, {"amount": 4})], scope="local"))
        await _retried(node, "d1")
        assert await total(node, "d1") == 3
        sick.is_full = False
        await _caught_up(node)
        assert list(live(node).documents.quarantined()) == []
        assert await total(node, "d1") == 3
        await done(node, place.job("d1", [(ADD, {"amount": 8})]))
        assert await total(node, "d1") == 11


async def test_of_one_that_is_erased_meanwhile_nothing_is_left() -> None:
    place, sick = site(), Sick()
    place.stores["0/documents"] = sick
    async with place.node() as node:
        await _lagging(place, node, sick)
        await _written(node, Erasure(id="e1-0", document_id="d1"))
        await _retried(node, "d1")
        sick.is_full = False
        await _caught_up(node)
        assert await total(node, "d1") is None
        assert _asides(sick) == {}
        assert list(live(node).documents.quarantined()) == []


async def test_nothing_is_remembered_of_one_that_there_never_was() -> None:
    place, sick = site(), Sick()
    place.stores["0/documents"] = sick
    async with place.node() as node:
        await _lagging(place, node, sick)
        await _written(node, place.creation("d2"))
        await _retried(node, "nobody")
        assert _asides(sick) == {}


async def test_that_it_was_ahead_is_forgotten_although_nothing_of_it_follows() -> None:
    place, sick = site(), Sick()
    place.stores["0/documents"] = sick
    async with place.node() as node:
        await _lagging(place, node, sick)
        await _written(node, place.creation("d2"))
        await _retried(node, "d1")
        assert len(_asides(sick)) == 1
        sick.is_full = False
        await _caught_up(node)
    async with place.node() as node:
        await until(lambda: _asides(sick) == {})
        assert await total(node, "d1") == 1
