"""Which lane a generation of a read model is given."""

from __future__ import annotations

from docreactor.pipeline.registry import Registry
from tests.agents.test_read_models import COUNTS, Counts
from tests.support.ledger import ledger
from tests.support.nodes import live, site, until


async def test_a_lane_feeds_its_projection_and_tells_its_generation_how_it_fares() -> None:
    place = site()
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        await until(lambda: COUNTS in node.coordinator.required)
        kept = live(node).serving(COUNTS, None)
        assert kept.lane is not None
        assert kept.has_caught_up
        assert kept.lane.progress == 1.0
