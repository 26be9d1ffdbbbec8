"""The lane of a running partition that keeps one generation of one read model."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from docreactor.agents.inbox import Room
from docreactor.agents.log import Fetched
from docreactor.pipeline.errors import FencedError, LogError, RestoringError, StoreFailedError
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached
from tests.support.lanes import Scene, Slow, Told, Waits
from tests.support.nodes import done, live, operations, until
from tests.support.projecting import Nothing
from tests.support.tally import (
    TALLY,
    add,
    creation,
    release,
    row,
    shown,
    tally_site,
    upgrade,
    waits,
)


async def test_what_it_lacks_it_reads_by_itself_and_then_follows_without_gap_or_repeat() -> None:
    scene, kept, told = Scene(), Nothing(), Told()
    await scene.write(6_000)
    scene.feed.position = Offset(6_000)
    async with scene.lane(kept, told, is_gentle=lambda: True) as (lane, _):
        while not told.caught:
            await scene.write(7)
            await scene.offer(7)
            await asyncio.sleep(0)
        assert scene.count > 6_000
        assert lane.progress == 1.0
        await scene.write(50)
        await scene.offer()
        await until(lambda: kept.position == scene.count)
    assert kept.given == list(range(scene.count))
    assert (kept.opened, kept.closed, told.caught) == (1, 1, 1)


async def test_it_goes_on_from_its_rows_or_from_where_it_begins_whichever_is_later() -> None:
    scene = Scene()
    await scene.write(20)
    scene.feed.position = Offset(20)
    for position, start, first in ((0, 12, 12), (15, 12, 15), (20, 12, 20), (0, 20, 20)):
        kept = Nothing(position=position)
        async with scene.lane(kept, told := Told(), start=start):
            await told.at_end.wait()
        assert kept.given == list(range(first, 20))


async def test_a_failing_place_is_tried_again_ever_later_and_holds_up_nobody() -> None:
    scene, well, told = Scene(), Nothing(), Told()
    began: list[float] = []
    now_s = asyncio.get_running_loop().time

    class Sick(Nothing):
        async def open(self) -> Offset:
            began.append(now_s())
            return await super().open()

    sick = Sick("sick")
    async with scene.lane(well), scene.lane(sick, told):
        await scene.write(3)
        await scene.offer()
        await until(lambda: sick.position == well.position == 3)
        sick.failures = [OSError("full"), StoreFailedError("torn"), LogError("away"), OSError("x")]
        await scene.write(3)
        await scene.offer()
        await until(lambda: well.position == 6)
        assert not scene.flow.is_held
        await until(lambda: sick.position == 6)
        await scene.write(1)
        await scene.offer()
        await until(lambda: sick.position == 7)
    assert well.given == sick.given == list(range(7))
    assert [str(one) for one in told.errors if one] == ["full", "torn", "away", "x"]
    assert told.errors[-1] is None
    assert (sick.opened, sick.closed) == (5, 5)
    # The first of them was left after a batch.
    waited = [after - before for before, after in pairwise(began[1:])]
    assert all(took >= least for took, least in zip(waited, (0.2, 0.4, 0.8), strict=True))


async def test_a_fenced_one_ends_with_its_error() -> None:
    scene, fenced = Scene(), Nothing()
    fenced.failures = [FencedError("another has it")]
    async with scene.lane(fenced) as (lane, task):
        await asyncio.wait({task})
        assert isinstance(task.exception(), FencedError)
        with pytest.raises(RestoringError):
            await lane.ask(fenced.close)
    assert fenced.closed == 1


async def test_what_it_is_asked_is_done_between_two_batches() -> None:
    scene, slow = Scene(), Slow()
    seen: list[int] = []

    async def look() -> int:
        seen.append(len(slow.given))
        return 7

    async with scene.lane(slow, room=Room(2, 1_000)) as (lane, _):
        await until(lambda: slow.opened)
        await scene.write(6)
        await scene.offer()
        await slow.asked.wait()
        asking = asyncio.create_task(lane.ask(look))
        await asyncio.sleep(0)
        assert not seen
        slow.gate.set()
        assert await asking == 7
        assert seen == [2]
        await until(lambda: slow.position == 6)
        assert await lane.ask(look) == 7
    assert seen == [2, 6]
    with pytest.raises(RestoringError):
        await lane.ask(look)


async def test_while_it_reads_what_it_lacks_it_does_what_it_is_asked() -> None:
    scene, kept, told = Scene(), Nothing(), Told()
    await scene.write(1_000)
    scene.feed.position = Offset(1_000)
    async with scene.lane(kept, told, is_gentle=lambda: True) as (lane, _):
        assert await lane.ask(lambda: _of(len(kept.given))) < 1_000
        assert not told.caught
        await until(lambda: told.caught)
    assert kept.given == list(range(1_000))


async def _of(value: int) -> int:
    return value


async def test_what_was_asked_and_fails_is_told_to_who_asked() -> None:
    scene, kept, told = Scene(), Nothing(), Told()

    async def refuse() -> None:
        raise StoreFailedError("torn")

    async def fail() -> None:
        raise OSError("full")

    async with scene.lane(kept, told) as (lane, _):
        await until(lambda: told.caught)
        with pytest.raises(StoreFailedError):
            await lane.ask(refuse)
        assert kept.opened == 1
        with pytest.raises(StoreFailedError, match="full"):
            await lane.ask(fail)
        await until(lambda: told.caught == 2)
        await scene.write(2)
        await scene.offer()
        await until(lambda: kept.position == 2)
    assert kept.given == [0, 1]


async def test_what_was_asked_is_refused_when_the_lane_ends_before() -> None:
    scene, slow = Scene(), Slow()
    async with scene.lane(slow) as (lane, task):
        await until(lambda: slow.opened)
        await scene.write(1)
        await scene.offer()
        await slow.asked.wait()
        asking = asyncio.create_task(lane.ask(lambda: _of(1)))
        await asyncio.sleep(0)
        lane.stop()
        slow.gate.set()
        with pytest.raises(RestoringError):
            await asking
        await task
    assert slow.given == [0]


@pytest.mark.parametrize("way", ["stop", "close"])
async def test_it_ends_after_the_batch_in_hand(way: str) -> None:
    scene, slow = Scene(), Slow()
    async with scene.lane(slow, room=Room(2, 1_000)) as (lane, task):
        await until(lambda: slow.opened)
        await scene.write(6)
        await scene.offer()
        await slow.asked.wait()
        end = lane.stop if way == "stop" else scene.feed.close
        end()
        await asyncio.sleep(0)
        assert not task.done()
        slow.gate.set()
        async with asyncio.timeout(10):
            await task
    assert slow.given == [0, 1]
    assert slow.closed == 1
    assert not scene.flow.is_held


async def test_one_that_waits_to_be_tried_again_ends_at_once() -> None:
    scene, sick = Scene(), Nothing()
    sick.failures = [OSError("full")] * 100
    told = Told()
    async with scene.lane(sick, told) as (lane, task):
        await until(lambda: len(told.errors) >= 3)
        lane.stop()
        async with asyncio.timeout(2):
            await task


async def test_a_slow_one_slows_its_partition_down_or_reads_by_itself() -> None:
    for holds in (True, False):
        scene, slow, told = Scene(), Slow(), Told()
        async with scene.lane(slow, told, ahead=Room(4, 1_000), room=Room(2, 1_000), holds=holds):
            await told.at_end.wait()
            await scene.write(1)
            await scene.offer()
            await slow.asked.wait()
            await scene.write(30)
            await scene.offer(10)
            assert scene.flow.is_held is holds
            await scene.offer()
            slow.gate.set()
            await slow.at(31)
            assert not scene.flow.is_held
            await scene.write(3)
            await scene.offer()
            await slow.at(34)
        assert slow.given == list(range(34))


async def test_it_waits_for_the_operation_store_but_not_for_markers() -> None:
    scene, waiting = Scene(), Waits()
    scene.stored = Reached(0)
    async with scene.lane(waiting):
        await until(lambda: waiting.opened)
        await scene.write(3)
        reader = await scene.log.reader({scene.source: Offset(0)})
        fetched = (await reader.fetch(count_max=3, timeout_ms=1_000))[scene.source]
        # Behind the last record lies a marker, of which the store knows nothing.
        scene.feed.offer(Fetched(fetched.records, Offset(4)))
        await waiting.asked.wait()
        scene.stored.advance(2)
        assert waiting.given == []
        scene.stored.advance(3)
        await until(lambda: waiting.position == 4)
    assert waiting.given == [0, 1, 2]


async def test_a_view_that_lacks_a_version_shows_what_it_has_and_says_what_it_lacks() -> None:
    place = tally_site()
    old, new = place.disk("old"), place.disk("new")
    async with place.node(open_store=old) as node:
        await done(node, creation(place, "d1"))
        await done(node, add(place, "d1", 1))
    place.models = (release(2),)
    async with place.node(open_store=new) as node:
        jobs = [upgrade(place, "d1"), add(place, "d1", 2), creation(place, "d2", version=2)]
        for job in [*jobs, add(place, "d2", 5)]:
            assert (await done(node, job)).error is None

    place.models = (release(1),)
    async with place.node(open_store=old) as node:
        await waits(node, "documents", f"model {TALLY} version 2")
        assert node.ready()
        assert shown(node, "d1") == {"total": 1}
        assert row(node, "reducer")["error"] is None
        assert list(live(node).documents.quarantined()) == []
        assert live(node).viewed.next_offset < live(node).written.next_offset
    place.models = (release(2),)
    async with place.node(open_store=old) as node:
        await until(lambda: live(node).viewed.next_offset == live(node).written.next_offset)
        assert shown(node, "d1") == {"count": 1, "total": 3}
        assert shown(node, "d2") == {"count": 1, "total": 5}
        assert [one.error for one in operations(node, "d1")] == [None, None]


async def test_a_worker_that_was_put_back_to_an_earlier_release_sets_no_document_aside() -> None:
    place = tally_site()
    here, elsewhere = place.disk("here"), place.disk("elsewhere")
    place.models = (release(2),)
    for disk, jobs in (
        (here, [creation(place, "d1", version=2), add(place, "d1", 1)]),
        (elsewhere, [add(place, "d1", 2), creation(place, "d2")]),
    ):
        async with place.node(open_store=disk) as node:
            for job in jobs:
                assert (await done(node, job)).error is None

    place.models = (release(1),)
    async with place.node(open_store=here) as node:
        # The table's own row is of the version that is lacking.
        await waits(node, "documents", f"model {TALLY} version 2")
        assert list(live(node).documents.quarantined()) == []
    place.models = (release(2),)
    async with place.node(open_store=here) as node:
        await until(lambda: live(node).viewed.next_offset == live(node).written.next_offset)
        assert shown(node, "d1") == {"count": 2, "total": 3}


async def test_a_view_that_lacks_a_version_holds_up_no_edges() -> None:
    place = tally_site(batch_jobs_max=1)
    old, new = place.disk("old"), place.disk("new")
    async with place.node(open_store=old) as node:
        await done(node, creation(place, "d1"))
        await done(node, creation(place, "d2"))
    place.models = (release(2),)
    async with place.node(open_store=new) as node:
        await done(node, upgrade(place, "d1"))
        await done(node, add(place, "d1", 2))

    place.models = (release(1),)
    async with place.node(open_store=old) as node:
        await waits(node, "documents", f"model {TALLY} version 2")
        for _ in range(30):
            job = add(place, "d2", 1)
            offset = await node.submit(job)
            await live(node).wait_job(job.id, offset=offset, until="write", timeout_s=10.0)
        await node.graph.wait(live(node).operations_position(), 10.0)
        place.models = (release(2),)
    async with place.node(open_store=old) as node:
        await until(lambda: live(node).viewed.next_offset >= live(node).written.next_offset)
        assert shown(node, "d2") == {"total": 30}
