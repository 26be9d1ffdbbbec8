"""What waits to be told to one subscriber."""

from __future__ import annotations

import asyncio

from docreactor.agents.log import TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.mailbox import Letter, Mailbox
from docreactor.pipeline.position import Offset, Position
from tests.support.nodes import LOG_ID


def batch(partition: int, end: int) -> Batch:
    source = TopicPartition("operations", partition)
    return Batch(source, Offset(end - 1), Offset(end), Position(LOG_ID, {}), ())


async def test_events_are_taken_in_order_and_then_how_far_the_log_went() -> None:
    mailbox, first, second, last = Mailbox(10), batch(0, 3), batch(1, 5), batch(0, 9)
    assert mailbox.put(first, [0, 2])
    assert mailbox.put(second, [1])
    assert mailbox.put(last, [])

    assert await mailbox.take(2, 0.0) == [Letter(first, 0), Letter(first, 2)]
    assert not mailbox.is_empty
    rest = await mailbox.take(2, 0.0)

    assert rest == [Letter(second, 1), Letter(last, None), Letter(second, None)]
    assert mailbox.is_empty
    assert await mailbox.take(2, 0.0) == []


async def test_what_does_not_fit_is_not_taken_at_all() -> None:
    mailbox = Mailbox(2)
    assert mailbox.put(batch(0, 3), [0])

    assert not mailbox.put(batch(0, 6), [0, 1])

    assert await mailbox.take(9, 0.0) == [Letter(batch(0, 3), 0), Letter(batch(0, 3), None)]


async def test_of_a_log_of_which_little_is_wanted_only_its_ends_are_kept() -> None:
    mailbox = Mailbox(1)
    for end in range(1, 1_000):
        assert mailbox.put(batch(end % 2, end), [])

    assert [letter.batch.end for letter in await mailbox.take(9, 0.0)] == [999, 998]


async def test_whoever_waits_is_woken_by_an_event_and_by_a_call() -> None:
    mailbox = Mailbox(1)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(mailbox.take(9, 60.0))
        await asyncio.sleep(0)
        mailbox.put(batch(0, 3), [0])
        assert len(await waiting) == 2
        waiting = tasks.create_task(mailbox.take(9, 60.0))
        await asyncio.sleep(0)
        mailbox.wake()
        assert await waiting == []
