"""Who subscribes on this node."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from docreactor.gateway.events.subscription import Ending, Told
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import (
    InvalidInputError,
    NotYetVisibleError,
    ShuttingDownError,
    TokenOfAnotherLogError,
)
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import (
    EVERYTHING,
    creation,
    edge,
    names,
    operation,
    scene,
    taken,
)
from tests.support.nodes import LOG_ID, until


def facts(told: Sequence[Told]) -> list[tuple[str, ...]]:
    return [(one.notice.event, *one.notice.ids) for one in told]


async def test_what_is_written_after_the_subscription_began_is_told_and_nothing_before() -> None:
    async with scene() as here:
        here.show_all()
        hub = here.hub()
        await here.store(*creation("before"))
        async with hub.running(), hub.subscription(EVERYTHING, None) as first:
            await here.store(*creation("between"))
            async with hub.subscription(EVERYTHING, None) as second:
                await here.store(*creation("after"))

                assert names(await taken(second, 1)) == ["document.created after"]
                assert names(await taken(first, 2)) == [
                    "document.created between",
                    "document.created after",
                ]


async def test_events_of_every_partition_and_of_both_topics_are_told() -> None:
    async with scene(partitions=3) as here:
        here.show_all()
        hub = here.hub()
        async with hub.running(), hub.subscription(EVERYTHING, None) as subscription:
            for partition in range(3):
                await here.store(operation(f"d{partition}"), partition=partition)
            await here.relate(edge("d1", "d2"), upto=1, partition=2)

            told = names(await taken(subscription, 4))

    assert sorted(told) == [
        "document.updated d0",
        "document.updated d1",
        "document.updated d2",
        "relationship.changed d1",
    ]


async def test_an_event_is_told_once_reads_show_it_and_holds_up_no_other_partition() -> None:
    async with scene(partitions=2) as here:
        hub = here.hub()
        async with hub.running(), hub.subscription(EVERYTHING, None) as subscription:
            hidden = await here.store(operation("hidden"), partition=0)
            await here.relate(edge("hidden", "d2"), upto=hidden)
            shown = await here.store(operation("shown"), partition=1)
            here.show(shown, 1)
            assert names(await taken(subscription, 1)) == ["document.updated shown"]

            here.show(hidden, 0)

            assert sorted(names(await taken(subscription, 2))) == [
                "document.updated hidden",
                "relationship.changed hidden",
            ]


async def test_what_reads_do_not_show_for_long_is_read_again_when_they_do() -> None:
    async with scene() as here:
        hub = here.hub(events_max=10)
        async with hub.running(), hub.subscription(EVERYTHING, None) as subscription:
            ends = [await here.store(operation(f"d{at}")) for at in range(100)]
            told: list[str] = []
            for end in ends:
                here.show(end)
                told += names(await taken(subscription, 1))

    assert told == [f"document.updated d{at}" for at in range(100)]


async def test_a_cursor_goes_on_after_any_event_also_amid_a_batch() -> None:
    async with scene(partitions=2) as here:
        here.show_all()
        hub = here.hub()
        async with hub.running():
            async with hub.subscription(EVERYTHING, None) as subscription:
                for partition in range(2):
                    several = [operation(f"d{partition}{at}") for at in range(3)]
                    await here.store(*several, partition=partition)
                await here.relate(edge("d00", "d01"), edge("d00", "d02"), upto=3)
                told = await taken(subscription, 8)
            for at, one in enumerate(told):
                async with hub.subscription(EVERYTHING, one.cursor) as again:
                    rest = await taken(again, len(told) - at - 1)
                assert sorted(facts(rest)) == sorted(facts(told[at + 1 :]))


async def test_a_cursor_is_good_long_after_and_while_the_log_goes_on() -> None:
    written, before, count = 0, 1_000, 1_100
    async with scene() as here:
        here.show_all()
        cursor = (await here.cursor()).text
        while written < before:
            await here.store(operation(f"d{written}"))
            written += 1
        hub = here.hub(events_max=100)
        async with (
            hub.running(),
            hub.subscription(EVERYTHING, None),
            hub.subscription(EVERYTHING, cursor) as subscription,
            asyncio.timeout(20),
        ):
            told: list[str] = []
            while len(told) < count:
                told += names(await subscription.take(0.05))
                if written < count:
                    await here.store(operation(f"d{written}"))
                    written += 1

    assert told == [f"document.updated d{at}" for at in range(count)]


async def test_only_what_is_wanted_is_told_and_the_cursor_moves_with_the_rest() -> None:
    async with scene() as here:
        here.show_all()
        hub = here.hub()
        wish = Wish(ids=frozenset({"d1"}))
        async with hub.running(), hub.subscription(wish, None) as subscription:
            await here.store(operation("d1"), operation("d2"))
            end = await here.store(operation("d3"))
            assert names(await taken(subscription, 1)) == ["document.updated d1"]
            source = here.ground.sources[0]
            async with asyncio.timeout(5):
                while subscription.cursor[source].done < end:
                    assert await subscription.take(0.01) == []


async def test_whoever_is_too_slow_is_told_and_goes_on_without_a_loss() -> None:
    async with scene() as here:
        here.show_all()
        hub = here.hub(events_max=3)
        async with hub.running():
            async with (
                hub.subscription(EVERYTHING, None) as slow,
                hub.subscription(EVERYTHING, None) as quick,
            ):
                told: list[str] = []
                for at in range(6):
                    await here.store(operation(f"d{at}"))
                    told += names(await taken(quick, 1))
                assert quick.ending is None
                assert slow.ending is None
                seen = names(await taken(slow, 3))
                assert slow.ending is Ending.OVERFLOW
                cursor = slow.cursor.text
            async with hub.subscription(EVERYTHING, cursor) as again:
                seen += names(await taken(again, 3))

    assert seen == told == [f"document.updated d{at}" for at in range(6)]


async def test_a_batch_larger_than_any_mailbox_comes_to_those_who_resume() -> None:
    async with scene() as here:
        here.show_all()
        hub = here.hub(events_max=3)
        async with hub.running():
            async with hub.subscription(EVERYTHING, None) as subscription:
                await here.store(*(operation(f"d{at}") for at in range(10)))
                await until(lambda: subscription.ending)
                cursor = subscription.cursor.text
            async with hub.subscription(EVERYTHING, cursor) as again:
                told = names(await taken(again, 10))

    assert told == [f"document.updated d{at}" for at in range(10)]


async def test_children_of_a_parent_are_told_of_as_the_graph_has_it() -> None:
    wish = Wish(parents=frozenset({"folder"}))
    async with scene() as here:
        here.show_all()
        here.edges.add(("folder", "d1", "main"))
        hub = here.hub()
        async with hub.running(), hub.subscription(wish, None) as subscription:
            await here.store(operation("d1"), operation("d2"))
            await here.relate(edge("folder", "d2"), edge("d1", "folder"), upto=2)

            told = names(await taken(subscription, 2))

    assert sorted(told) == ["document.updated d1", "relationship.changed folder"]


async def test_the_log_is_read_from_the_first_subscriber_until_the_last() -> None:
    async with scene() as here:
        hub = here.hub()
        async with hub.running():
            assert not hub.is_reading
            async with hub.subscription(EVERYTHING, None):
                async with hub.subscription(EVERYTHING, None):
                    assert (hub.count, hub.is_reading) == (2, True)
                assert (hub.count, hub.is_reading) == (1, True)
            assert (hub.count, hub.is_reading) == (0, False)


async def test_subscribers_are_told_when_the_log_cannot_be_read_and_may_come_again() -> None:
    async with scene() as here:
        here.show_all()
        hub = here.hub()
        async with hub.running():
            async with hub.subscription(EVERYTHING, None) as subscription:
                cursor = subscription.cursor.text
                await here.log.break_readers()
                await until(lambda: subscription.ending)
                assert subscription.ending is Ending.LOST
                assert await subscription.take(9.0) == []
            await here.store(operation("d1"))
            async with hub.subscription(EVERYTHING, cursor) as again:
                assert names(await taken(again, 1)) == ["document.updated d1"]


async def test_those_who_are_left_at_the_end_are_told_and_nobody_comes_in() -> None:
    async with scene() as here:
        hub = here.hub()
        endings: list[Ending | None] = []

        async def follow(begun: asyncio.Event) -> None:
            async with hub.subscription(EVERYTHING, None) as subscription:
                begun.set()
                assert await subscription.take(60.0) == []
                endings.append(subscription.ending)

        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            async with hub.running():
                begun = asyncio.Event()
                tasks.create_task(follow(begun))
                await begun.wait()
            assert endings == [Ending.STOPPING]
        with pytest.raises(ShuttingDownError):
            async with hub.subscription(EVERYTHING, None):
                pass


async def test_a_cursor_that_cannot_be_gone_on_from_is_refused_by_name() -> None:
    async with scene() as here:
        hub = here.hub()
        await here.store(operation("d1"))
        cursor = await here.cursor()
        cursor.pass_by(here.ground.sources[0], Offset(99))
        async with hub.running():
            for text, refusal in (
                ("nonsense", InvalidInputError),
                ("f" * 32 + ".0-0", TokenOfAnotherLogError),
                (cursor.text, NotYetVisibleError),
            ):
                with pytest.raises(refusal):
                    async with hub.subscription(EVERYTHING, text):
                        pass
            here.place.cluster.partition(here.ground.sources[0]).truncate(Offset(1))
            with pytest.raises(InvalidInputError, match="before what the log still holds"):
                async with hub.subscription(EVERYTHING, f"{LOG_ID}.0-0"):
                    pass
        assert not hub.is_reading
