"""Which partitions are a process's own."""

from __future__ import annotations

from tests.support.nodes import live, site, until


async def test_it_runs_an_agent_for_each_partition_that_it_is_assigned() -> None:
    place = site(partitions=3)
    async with place.node() as node:
        assert sorted(node.membership.agents) == [0, 1, 2]
        assert node.membership.is_ready()


async def test_what_is_revoked_serves_no_more_and_what_is_assigned_again_does() -> None:
    place = site(partitions=2)
    async with place.node() as node:
        before = live(node, 1)
        sources = frozenset({place.source(place.topics.actions, 1)})
        await node.membership.revoked(sources)
        assert node.local(1) is None
        assert node.local(0) is not None
        every = frozenset(place.source(place.topics.actions, number) for number in range(2))
        await node.membership.revoked(every)
        await node.membership.assigned(every)
        await until(node.membership.is_ready)
        assert live(node, 1) is not before


async def test_a_gateway_alone_is_assigned_nothing_and_is_ready_with_its_graph() -> None:
    place = site()
    async with place.node(is_gateway_only=True) as node:
        assert node.membership.agents == {}
        assert not node.membership.is_ready()
        assert node.ready()
        assert node.local(0) is None
        assert node.graph.is_ready
