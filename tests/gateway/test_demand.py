"""What a read must at least show."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from docreactor.gateway.demand import Demand
from docreactor.gateway.reach import Reach
from docreactor.gateway.requests import ReadQuery
from docreactor.pipeline.errors import InvalidTokenError, NotYetVisibleError
from docreactor.pipeline.position import Partition
from tests.gateway.deployment import Running
from tests.support.nodes import LOG_ID


async def _nothing() -> dict[str, str]:
    await asyncio.Event().wait()
    return {}


REQUEST = Request({"type": "http"}, _nothing)


def demand(*tokens: str, timeout_ms: int = 30_000) -> Demand:
    return Demand.of(ReadQuery(token=list(tokens), timeout_ms=timeout_ms), LOG_ID)


def test_tokens_are_merged() -> None:
    merged = demand(f"{LOG_ID}.0-3_1-9", f"{LOG_ID}.0-5")

    assert merged.wanted.next_offsets == {0: 5, 1: 9}
    assert merged.patience_s == 30


def test_without_a_token_nothing_is_demanded_and_nobody_waits() -> None:
    assert demand().wanted.next_offsets == {}
    assert demand().patience_s == 0


def test_a_text_that_is_no_token_is_refused() -> None:
    with pytest.raises(InvalidTokenError):
        demand("mine")


async def test_a_demand_is_met_when_view_and_store_are_there(one: Running) -> None:
    job = await one.create("shop-1")
    live = one.node.local(one.node.partition_of("shop-1"))
    assert live is not None

    met = demand(job["token"])
    await met.viewed(Reach(one.node), REQUEST, live)
    await met.stored(Reach(one.node), REQUEST, live)


async def test_what_is_demanded_of_other_partitions_does_not_matter_here(one: Running) -> None:
    live = one.node.local(0)
    assert live is not None

    await demand(f"{LOG_ID}.7-1000").viewed(Reach(one.node), REQUEST, live)


async def test_a_demand_that_is_not_met_in_time_says_how_far_it_is(one: Running) -> None:
    live = one.node.local(0)
    assert live is not None

    with pytest.raises(NotYetVisibleError) as refusal:
        await demand(f"{LOG_ID}.0-1000", timeout_ms=1).viewed(Reach(one.node), REQUEST, live)
    assert refusal.value.facts == {"wanted": f"{LOG_ID}.0-1000", "reached": f"{LOG_ID}.0-0"}


async def test_whoever_waits_for_several_partitions_has_one_time_for_all(one: Running) -> None:
    partitions = range(one.node.partition_count)
    wanted = "_".join(f"{partition}-1000" for partition in partitions)
    met = demand(f"{LOG_ID}.{wanted}", timeout_ms=500)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for partition in partitions:
        live = one.node.local(partition)
        assert live is not None
        with pytest.raises(NotYetVisibleError):
            await met.viewed(Reach(one.node), REQUEST, live)

    assert met.left_s == 0
    assert loop.time() - began < 0.5 * len(partitions) / 2


def test_another_node_is_asked_for_the_same_in_the_time_that_is_left() -> None:
    wanted = f"{LOG_ID}.0-3_1-9"
    parameters = dict(demand(wanted, timeout_ms=1_000).parameters)

    assert parameters["token"] == wanted
    assert 0 < int(parameters["timeout_ms"]) <= 1_000
    assert demand().parameters == []


def test_one_partition_is_asked_for_what_concerns_it() -> None:
    wanted = demand(f"{LOG_ID}.0-3_1-9")

    assert wanted.of_partition(Partition(1)).token == f"{LOG_ID}.1-9"
    assert wanted.of_partition(Partition(2)).token == f"{LOG_ID}.2-0"
