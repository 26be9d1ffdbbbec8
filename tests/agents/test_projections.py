"""Who keeps a generation of a read model in one partition."""

from __future__ import annotations

from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.rows_projection import RowsProjection
from docreactor.pipeline.registry import Registry
from tests.agents.test_read_models import COUNTS, Counts
from tests.support.ledger import ledger
from tests.support.nodes import live, site, until


async def test_a_worker_runs_the_version_that_it_has_and_shows_the_rows_of_the_one_before() -> None:
    place = site()
    async with place.node(registry=Registry([ledger, Counts()])) as node:
        await until(lambda: COUNTS in node.coordinator.required)
        assert isinstance(live(node).serving(COUNTS, 0).projection, RowsProjection)
    async with place.node(registry=Registry([ledger, Counts(version=2)])) as node:
        await until(lambda: live(node).serving(COUNTS, None).generation == 1)
        assert isinstance(live(node).serving(COUNTS, 0).projection, FrozenRows)
        assert isinstance(live(node).serving(COUNTS, 1).projection, RowsProjection)
