"""Where a partition's next operation must stand."""

import pytest

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.tail import Tail
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset
from tests.support.nodes import counted, done, operations, site, until


def _source() -> TopicPartition:
    return TopicPartition("test.operations", 0)


async def test_one_marker_lies_between_two_batches_of_ours() -> None:
    tail = Tail(site().log(), _source())
    tail.committed(Offset(9))
    assert await tail.next_offset() == 10
    tail.check(Offset(10))
    for strange in (Offset(9), Offset(11), Offset(-1)):
        with pytest.raises(LogError, match="is not ours"):
            tail.check(strange)


async def test_the_log_is_asked_at_first_and_after_an_abort() -> None:
    place = site()
    writer = await place.log().writer()
    await writer.append(_source(), [Entry(b"k", b"v")] * 4)
    tail = Tail(place.log(), _source())
    assert await tail.next_offset() == 4
    await writer.append(_source(), [Entry(b"k", b"v")])
    assert await tail.next_offset() == 4
    tail.forget()
    assert await tail.next_offset() == 5


async def test_a_batch_that_lands_behind_strange_records_is_undone_and_decided_anew() -> None:
    place = site()
    async with place.node() as node:
        await done(node, place.creation("d1"))
        known = place.records(place.topics.operations)[0]
        writer = await place.log().writer()
        await writer.append(_source(), [Entry(known.key, known.value)] * 2)
        job = place.job("d1", [("ADD", {"amount": 4})])
        offset = await node.submit(job)

        def is_decided() -> bool:
            partition = node.local(0)
            return partition is not None and partition.job(job.id) is not None

        await until(is_decided)
        assert place.committed() == offset + 1
        assert counted(node, "errors_total", name="Log") == 1
        assert [one.index for one in operations(node, "d1")] == [0]
