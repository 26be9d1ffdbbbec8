"""A process that dies between any two steps of a commit leaves all of it or nothing."""

from __future__ import annotations

import pytest

from docreactor.agents.log import TopicPartition
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.pipeline.errors import FencedError
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create, entries
from tests.agents.log.following import read

SETTINGS = Settings(app="a")
STEPS = [
    "open",
    "opened",
    "begin",
    "begun",
    "send",
    "sent",
    "consume",
    "consumed",
    "commit",
    "committed",
]


class Dying:
    """A hook that lets a process live until one step, and none after."""

    def __init__(self, last: str | None) -> None:
        self._last = last
        self.is_dead = False
        self.steps: list[str] = []

    async def __call__(self, step: str) -> None:
        self.steps.append(step)
        self.is_dead = self.is_dead or step == self._last
        if self.is_dead:
            raise InterruptedError


async def transact(log: MemoryLog, to: TopicPartition, *values: str) -> None:
    transactor = await log.transactor("t")
    async with transactor.transaction() as transaction:
        await transaction.send({to: entries(*values)})
        await transaction.consume({to: Offset(len(values))})


async def test_the_steps_come_in_this_order() -> None:
    hook = Dying(None)
    log = MemoryLog(MemoryCluster(), SETTINGS, hook)
    to = await create(log, "a")
    await transact(log, to, "1")
    await (await log.writer()).append(to, entries("2"))

    assert hook.steps == [*STEPS, "append", "appended"]


@pytest.mark.parametrize("last", STEPS)
async def test_all_or_nothing_stands_after_a_death_at(last: str) -> None:
    cluster = MemoryCluster()
    log = MemoryLog(cluster, SETTINGS)
    to = await create(log, "a")
    with pytest.raises(InterruptedError):
        await transact(MemoryLog(cluster, SETTINGS, Dying(last)), to, "1", "2")
    is_committed = last == "committed"
    assert len((await read(log, to))[0]) == 2 * is_committed
    assert await log.committed(to) == (2 if is_committed else None)

    await transact(log, to, "3")

    values = [record.value for record in (await read(log, to))[0]]
    assert values == ([b"1", b"2"] if is_committed else []) + [b"3"]
    assert await log.committed(to) == 1


async def test_what_a_dead_process_left_open_blocks_until_it_is_taken_over() -> None:
    cluster = MemoryCluster()
    log = MemoryLog(cluster, SETTINGS)
    to = await create(log, "a")
    with pytest.raises(InterruptedError):
        await transact(MemoryLog(cluster, SETTINGS, Dying("sent")), to, "1")
    await (await log.writer()).append(to, entries("2"))
    assert await log.end_offsets([to]) == {to: 0}

    await log.transactor("t")

    assert await log.end_offsets([to]) == {to: 3}


async def test_a_fenced_transactor_stays_fenced() -> None:
    log = MemoryLog(MemoryCluster(), SETTINGS)
    to = await create(log, "a")
    old = await log.transactor("t")
    await log.transactor("t")
    for _ in range(2):
        with pytest.raises(FencedError):
            async with old.transaction() as transaction:
                await transaction.send({to: entries("1")})
