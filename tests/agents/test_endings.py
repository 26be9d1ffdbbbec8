"""Generations of read models on their way out."""

from __future__ import annotations

import asyncio
import time

from docreactor.tables.store import StoreIdentity
from tests.support.nodes import KeptStore, live, site, total, until
from tests.support.troubled import ADD, COUNTS, Counts, Slow, count_of, registry, row_of, written


async def test_one_that_is_revived_while_it_still_ends_begins_after_that() -> None:
    place, slow = site(), Slow()
    async with place.node(registry=registry(slow)) as node:
        await written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
        await until(lambda: count_of(node, "d1") == 3)
        slow.gate.clear()
        slow.entered.clear()
        await node.submit(place.job("d1", [(ADD, {"amount": 1})]))
        await slow.entered.wait()
        node.coordinator.retire(COUNTS)
        await asyncio.sleep(0.05)
        node.coordinator.revive(COUNTS)
        await asyncio.sleep(0.05)
        slow.gate.set()
        await until(lambda: COUNTS in node.coordinator.required)
        assert (count_of(node, "d1"), row_of(node, COUNTS)["error"]) == (4, None)
        assert await total(node, "d1") == 2


class Stubborn(KeptStore):
    """A store that does not let its rows be dropped while it is told so."""

    is_stubborn = False

    def begin(self, identity: StoreIdentity) -> None:
        if self.is_stubborn:
            raise OSError("read-only file system")
        super().begin(identity)


async def test_rows_that_cannot_be_dropped_yet_end_no_process() -> None:
    place = site()
    stubborn = place.stores["0/models/counts-0"] = Stubborn()
    async with place.node(registry=registry(Counts())) as node:
        await written(place, node, "d1", 1)
        await until(lambda: COUNTS in node.coordinator.required)
        stubborn.is_stubborn = True
        node.coordinator.retire(COUNTS)
        await written(place, node, "d2", 1)
        assert row_of(node, COUNTS)
        stubborn.is_stubborn = False
        await until(lambda: not row_of(node, COUNTS))
        assert await total(node, "d2") == 1


async def test_a_process_that_stops_waits_for_no_authors_code_that_hangs() -> None:
    place, slow = site(rebalance_timeout_ms=1_000), Slow()
    async with place.node(registry=registry(slow)) as node:
        await until(lambda: COUNTS in node.coordinator.required)
        slow.gate.clear()
        job = place.creation("d1")
        await node.submit(job)
        await slow.entered.wait()
        node.coordinator.retire(COUNTS)
        await until(lambda: live(node).job(job.id) is not None)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 3.0
