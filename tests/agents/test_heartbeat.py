"""What is told of a partition while nothing happens."""

from __future__ import annotations

from tests.support.nodes import done, live, site, until


async def test_positions_and_lag_are_told_while_nothing_happens() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        consumed = live(node).consumed.next_offset

        def told() -> set[object]:
            return {row["lag"] for row in node.positions()}

        await until(lambda: told() == {0})
        assert {row["next_offset"] for row in node.positions() if row["kind"] == "reducer"} == {
            consumed
        }
        labels = {"agent": "reducer", "partition": "0"}
        assert node.metrics.registry.get_sample_value("docreactor_lag_records", labels) == 0
