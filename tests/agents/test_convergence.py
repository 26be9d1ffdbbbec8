"""Replicas that know the same actions show the same, whatever came first."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.timestamp import Microseconds, render
from tests.support import oracle
from tests.support.drawn import draw
from tests.support.replicas import DOCUMENT, HOME, MAIN, Replica
from tests.support.seeds import Seeds

STREAMS = (HOME, MAIN, Stream(DOCUMENT, "local", "main"))


class Cluster:
    """Replicas of one document, and how far each has sent to each."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        count = chance.randint(2, 4)
        self.replicas = [Replica(f"r{at}") for at in range(count)]
        for replica in self.replicas:
            replica.clock += chance.choice([0, 0, 50, -50, 2_000_000])
        is_hub = chance.random() < 0.5
        self.links = [
            (a, b)
            for a in range(count)
            for b in range(count)
            if a != b and (not is_hub or 0 in (a, b))
        ]
        self.cursors = dict.fromkeys(self.links, 0)
        self.accepted: set[tuple[Stream, str]] = set()
        self.ids = 0
        self.tick = 0

    async def begin(self) -> None:
        first = self.replicas[0]
        await first.create()
        for at in range(1, len(self.replicas)):
            known = [one for _, one in first.first_seen()]
            replica = self.replicas[at]
            assert await replica.submit(replica.load(HOME, known)) == [None]
        self.cursors = {(a, b): len(self.replicas[a].sent) for a, b in self.links}

    async def write(self) -> None:
        """One replica's own mutation."""
        chance = self.chance
        replica = chance.choice(self.replicas)
        stream = chance.choices(STREAMS, [1, 5, 2])[0]
        if chance.random() < 0.5:
            self.tick += 1
            for one in self.replicas:
                one.clock += 10
        actions = [self.action(stream, replica) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        (error,) = await replica.submit(replica.mutation(stream, actions))
        if error is None:
            self.accepted |= {(stream, action.id) for action in actions}

    def action(self, stream: Stream, replica: Replica) -> Action:
        chance = self.chance
        self.ids += 1
        action_id = f"{chance.choice('abcxyz')}{self.ids}"
        stamp: str | None = None
        if chance.random() < 0.4:
            moment = 1_700_000_000_000_000 + 10 * chance.randint(-1, self.tick)
            stamp = render(Microseconds(moment))
        return draw(chance, stream, action_id, stamp)

    async def send(self, link: tuple[int, int], *, everything: bool = False) -> int:
        """Bring what one replica forwards to another: in part, shuffled and repeated, or whole."""
        sender, receiver = (self.replicas[at] for at in link)
        start = 0 if everything else self.cursors[link]
        news = list(sender.first_seen(start))
        before = len(receiver.sent)
        if everything:
            self.cursors[link] = len(sender.sent)
            batches = [news]
        else:
            self.chance.shuffle(news)
            news = news[: self.chance.randint(0, len(news))]
            batches = [news, news[: len(news) // 2]]
        for batch in batches:
            jobs = [
                receiver.load(stream, [one for at, one in batch if at == stream], sender.name)
                for stream in STREAMS
                if any(at == stream for at, _ in batch)
            ]
            assert await receiver.submit(*jobs) == [None] * len(jobs)
        return len(receiver.sent) - before

    async def settle(self) -> None:
        """Exchange until nobody has anything new."""
        for _ in range(20):
            if not sum([await self.send(link, everything=True) for link in self.links]):
                return
        raise AssertionError("the exchange does not end")


def history(replica: Replica, stream: Stream) -> list[tuple[Any, ...]]:
    return [
        (one.action, one.timestamp, one.error, one.hash, one.version)
        for one in oracle.effective(replica.stored(stream))
    ]


def shown(replica: Replica) -> Any:
    document = replica.documents.document(DOCUMENT, "main")
    assert document is not None
    assert replica.documents.quarantine_of(DOCUMENT) is None
    header = {**document.header.json, "revision": None, "last_modified_at": None}
    return header, document.state


def check_stream(replica: Replica, stream: Stream) -> None:
    """Its order is the key's, and each effective operation recorded what the fold gives."""
    stored = replica.stored(stream)
    standing = oracle.effective(stored)
    assert [oracle.key(one) for one in standing] == sorted(oracle.key(one) for one in standing)
    assert {one.action.id for one in standing} == {one.action.id for one in stored}
    assert len({one.action.id for one in standing}) == len(standing)
    if stream != HOME:
        for at, operation in enumerate(standing):
            state = oracle.words_of(standing[: at + 1])
            assert digest(encode(state)) == operation.hash
            assert oracle.fails(operation, standing[:at]) == (operation.error is not None)


async def converge(seed: int) -> None:
    cluster = Cluster(random.Random(seed))
    await cluster.begin()
    unchanged: dict[tuple[str, bytes], bytes | None] = {}
    for _ in range(cluster.chance.randint(3, 22)):
        if cluster.chance.random() < 0.6:
            await cluster.write()
        else:
            await cluster.send(cluster.chance.choice(cluster.links))
        for replica in cluster.replicas:
            for record in replica.sent:
                kept = unchanged.setdefault((replica.name, record.key), record.value)
                assert kept == record.value, "a stored operation changed"
    await cluster.settle()
    first = cluster.replicas[0]
    for stream in STREAMS:
        for replica in cluster.replicas:
            assert history(replica, stream) == history(first, stream)
            known = {(stream, one.action.id) for one in replica.stored(stream)}
            assert {one for one in cluster.accepted if one[0] == stream} <= known
            check_stream(replica, stream)
    assert all(shown(replica) == shown(first) for replica in cluster.replicas)
    assert sum([await cluster.send(link, everything=True) for link in cluster.links]) == 0


@pytest.mark.seeds(500, each=100)
def test_replicas_converge_whatever_the_order_of_arrival(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(converge(seed))


@pytest.mark.nightly
@pytest.mark.seeds(10_000, each=200)
def test_replicas_converge_from_very_many_seeds(seeds: Seeds) -> None:
    test_replicas_converge_whatever_the_order_of_arrival(seeds)
