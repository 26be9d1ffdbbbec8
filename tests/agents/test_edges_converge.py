"""Replicas that have seen the same actions publish the same edges, in whatever order they came."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from docreactor.agents.log import Entry
from docreactor.agents.relationships import RelationshipAgent
from docreactor.pipeline.action import Action
from docreactor.pipeline.position import Offset
from docreactor.tables.memory import MemoryStore
from tests.support.deployments import deployment
from tests.support.nodes import Site
from tests.support.notation import Told, action, told
from tests.support.relating import Folded, edges_of, folded, only_edges, related_to
from tests.support.replicas import DOCUMENT, HOME
from tests.support.seeds import Seeds


def _relate(told: str, kind: str, target_id: str, **given: Any) -> Action:
    """An action about an edge of the document."""
    input = {"source_id": DOCUMENT, **related_to(target_id, **given)}
    return action(told, f"{kind}_RELATIONSHIP", "document", input)


async def _published(replica: Told) -> Folded:
    """What stands on the topic behind the replica's log, applied in batches of three."""
    place = Site(replica.settings)
    entries = [Entry(one.key, one.value, one.headers) for one in replica.sent]
    await place.write(place.topics.operations, *entries)
    end = Offset(len(entries))
    replica.store.write([], {place.topics.operations: end}, now_ms=1)
    agent = RelationshipAgent(
        replace(deployment(place), log=place.log()),
        0,
        store=MemoryStore(),
        write_store=replica.store,
    )

    async def stored(next_offset: int) -> None:
        assert next_offset <= end

    records = place.records(place.topics.operations)
    assert await agent.open() == 0
    for start in range(0, end, 3):
        some = records[start : start + 3]
        await agent.apply(some, Offset(start + len(some)), stored=stored)
    await agent.close()
    return only_edges(folded(place.records(place.topics.relationships)))


async def test_an_older_addition_behind_which_an_undo_stands_takes_the_place_of_the_newer() -> None:
    replica = await told()
    await replica.bring(_relate("x@10", "ADD", "x"), stream=HOME)
    await replica.bring(action("u@30", "UNDO", "document"), stream=HOME)
    assert set(await _published(replica)) == set()
    await replica.bring(_relate("y@20", "ADD", "y"), stream=HOME)
    assert replica.log(HOME) == "0:0:c1 1:0:c2 2:0:x 3:0:u 4:1:y 5:0:u"
    assert set(await _published(replica)) == {f"{DOCUMENT}/main/child/x".encode()}


def _drawn(chance: random.Random) -> list[list[Action]]:
    """Loads about edges, of times that are mixed."""
    loads: list[list[Action]] = []
    for number in range(chance.randint(2, 14)):
        kind = chance.choice(["ADD", "ADD", "ADD", "UPDATE", "REMOVE", "UNDO", "UNDO", "REDO"])
        name = f"{chance.choice('abc')}{number}@{chance.randint(1, 9)}"
        if kind in ("UNDO", "REDO"):
            made = action(name, kind, "document")
        else:
            given = {} if kind == "REMOVE" else {"metadata": number}
            made = _relate(name, kind, chance.choice("xyz"), **given)
        if loads and chance.random() < 0.3:
            loads[-1].append(made)
        else:
            loads.append([made])
    return loads


@pytest.mark.seeds(40, each=20)
async def test_the_order_of_arrival_is_nothing_to_the_edges(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            chance = random.Random(seed)
            loads = _drawn(chance)
            published: list[Folded] = []
            for _ in range(2):
                replica = await told()
                for load in chance.sample(loads, len(loads)):
                    await replica.bring(*load, stream=HOME)
                published.append(await _published(replica))
                assert published[-1] == edges_of(HOME, replica.stored(HOME))
            assert published[0] == published[1]
