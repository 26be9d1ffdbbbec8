"""Waiting that notices when the partition has gone elsewhere."""

from __future__ import annotations

import pytest

from docreactor.agents.live import LivePartition
from docreactor.agents.log import TopicPartition
from docreactor.gateway.patience import now_s, while_serving
from docreactor.gateway.reach import Reach
from docreactor.pipeline.errors import NotYetVisibleError, RestoringError
from docreactor.pipeline.topics import Topics
from tests.gateway.deployment import Running


def live_of(one: Running) -> LivePartition:
    live = one.node.local(0)
    assert live is not None
    return live


async def never(slice_s: float) -> None:
    raise NotYetVisibleError(wanted="a", reached="b")


async def test_what_comes_in_a_later_slice_is_waited_for(one: Running) -> None:
    slices: list[float] = []

    async def third(slice_s: float) -> str:
        slices.append(slice_s)
        if len(slices) < 3:
            raise NotYetVisibleError(wanted="a", reached="b")
        return "shown"

    reach = Reach(one.node)
    assert await while_serving(reach, live_of(one), third, timeout_s=60) == "shown"
    assert slices == [1.0, 1.0, 1.0]


async def test_the_error_comes_out_when_the_time_is_over(one: Running) -> None:
    begun_s = now_s()
    with pytest.raises(NotYetVisibleError):
        await while_serving(Reach(one.node), live_of(one), never, timeout_s=0)
    assert now_s() - begun_s < 1


async def test_a_partition_that_went_elsewhere_is_not_waited_for(one: Running) -> None:
    live, reach = live_of(one), Reach(one.node)
    source = TopicPartition(Topics(one.node.settings.app).actions, live.number)

    async def lost(slice_s: float) -> None:
        await one.node.membership.revoked(frozenset({source}))
        raise NotYetVisibleError(wanted="a", reached="b")

    with pytest.raises(RestoringError):
        await while_serving(reach, live, lost, timeout_s=60)
