"""How jobs are cut into batches decides nothing: together they end as they would one by one."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Job
from docreactor.pipeline.keys import Stream
from tests.support import oracle
from tests.support.notation import Told, action, deletion, told, upgrade
from tests.support.replicas import HOME, MAIN
from tests.support.seeds import Seeds

STREAMS = (HOME, MAIN, MAIN._replace(scope="local"))
WORDS = ("ash", "bay")


class Drawn:
    """Jobs from a seed, those that will be refused among them."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.count = 0

    def job(self) -> tuple[bool, Stream, list[Action]]:
        """Whether it is a load, its stream and its actions."""
        stream = self.chance.choices(STREAMS, [2, 5, 2])[0]
        is_load = self.chance.random() < 0.5
        count = self.chance.choice([1, 1, 2, 3])
        return is_load, stream, [self.action(stream, is_load) for _ in range(count)]

    def action(self, stream: Stream, is_load: bool) -> Action:
        chance = self.chance
        self.count += 1
        number = chance.randint(1, self.count) if chance.random() < 0.08 else self.count
        name = f"{chance.choice('abz')}{number}"
        if is_load or chance.random() < 0.3:
            name += f"@{chance.randint(-3, 30)}"
        return self.of_home(name) if stream == HOME else self.of_model(name, stream.scope)

    def of_home(self, name: str) -> Action:
        chance = self.chance
        target = chance.choice(["d1", "d2"])
        edge = {"source_id": "d1", "target_id": target, "relationship_type": "kin"}
        return chance.choice(
            [
                upgrade(name, chance.choice([1, 1, 2, 0]), 2),
                deletion(name),
                action(name, "SET_NAME", "document", {"name": name}),
                action(name, "SET_SLUG", "document", {"slug": name}),
                action(name, "ADD_RELATIONSHIP", "document", edge),
                action(name, "UNDO", "document"),
                action(name, "REDO", "document"),
            ]
        )

    def of_model(self, name: str, scope: str) -> Action:
        chance = self.chance
        word: Any = {"word": chance.choice(WORDS)}
        kind, input = chance.choice(
            [
                *[("ADD", word)] * 3,
                ("DROP", word),
                *[("UNDO", {})] * 2,
                ("REDO", {}),
                ("NOOP", {}),
                ("SET_META", {"key": "k", "value": name}),
                ("LOAD_STATE", {"state": {"words": ["elm"]}, "name": name}),
                ("PAINT", {}),
            ]
        )
        return action(name, kind, scope, input)


def _made(replica: Told, drawn: tuple[bool, Stream, list[Action]]) -> Job:
    is_load, stream, actions = drawn
    if is_load:
        return replica.brought(*actions, stream=stream)
    return replica.mutation(stream, actions)


def _known(replica: Told) -> list[Any]:
    """Everything about it but how often it moved what."""
    shown = replica.documents.document("d1", "main")
    assert shown is not None
    assert replica.documents.quarantine_of("d1") is None
    histories = [
        [
            (one.action, one.error, one.hash, one.version)
            for one in oracle.effective(replica.stored(stream))
        ]
        for stream in STREAMS
    ]
    return [histories, shown.header.json | {"revision": None}, shown.state]


async def _check_cold(replica: Told) -> None:
    """What is cached is what the log gives."""
    cache = replica.tables.cache
    for stream in STREAMS:
        newest = cache.newest(stream)
        if newest is not None:
            cache.clear()
            assert await cache.get(stream) == newest.state


async def decide(seed: int) -> None:
    drawn = Drawn(seed)
    together, one_by_one = await told(), await told()
    for _ in range(drawn.chance.randint(1, 4)):
        jobs = [drawn.job() for _ in range(drawn.chance.randint(1, 6))]
        errors = await together.submit(*[_made(together, job) for job in jobs])
        singly: list[str | None] = []
        for job in jobs:
            singly += await one_by_one.submit(_made(one_by_one, job))
        assert errors == singly
        assert _known(together) == _known(one_by_one)
        await _check_cold(together)
        if drawn.chance.random() < 0.3:
            one_by_one.tables.cache.clear()


@pytest.mark.seeds(100, each=50)
def test_a_batch_is_decided_as_its_jobs_would_be_one_by_one(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            asyncio.run(decide(seed))


@pytest.mark.nightly
@pytest.mark.seeds(5_000, each=500)
def test_very_many_batches_are_decided_as_their_jobs_would_be(seeds: Seeds) -> None:
    test_a_batch_is_decided_as_its_jobs_would_be_one_by_one(seeds)
