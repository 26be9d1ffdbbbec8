"""Processes on a log in memory that end at one step, and those that come after them."""

from __future__ import annotations

from docreactor.agents.clock import SystemClock
from docreactor.agents.node import Node
from docreactor.pipeline.timestamp import Microseconds
from tests.support.nodes import Site, live, until, until_compacted, until_ready
from tests.support.steps import Death, Killed

STEPS = (
    *("open", "opened"),
    *("begin", "begun", "send", "sent", "consume", "consumed", "commit", "committed"),
    *("abort", "aborted"),
    *("append", "appended"),
)
"""Every step that a process takes, some only when something is refused."""

TOLD_BY_TIME = ("append", "appended")
"""How often rows are told of depends on the time; every other step is taken every time."""


class StillClock(SystemClock):
    """What is stamped by it is the same in every run; durations go on."""

    def now_us(self) -> Microseconds:
        """The same moment for ever."""
        return Microseconds(1_800_000_000_000_000)


async def until_decided(node: Node, end: int) -> None:
    """Wait until all jobs are decided and shown, and none waits for another."""
    await until_ready(node)
    partition = live(node)
    await partition.consumed.wait(end, 10.0)
    await until(lambda: not any(partition.deferred.every()))
    await partition.viewed.wait(partition.written.next_offset, 10.0)
    await until_compacted(node)


async def die(place: Site, death: Death) -> None:
    """One process, until its death or until everything is done."""
    end = place.cluster.partition(place.source(place.topics.actions)).end
    try:
        async with place.node(death, clock=StillClock(), ready=False) as node:
            await until(lambda: place.committed() == end or death.happened)
            await until_decided(node, end)
    except* Killed:
        assert death.happened
