"""A state is the fold of the effective history, at every index and from whatever base."""

from __future__ import annotations

import asyncio
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.keys import record_key
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.store import Row
from tests.support import oracle
from tests.support.replicas import HOME, MAIN, Replica

BEGIN = 1_700_000_000_000_000
WORDS = ("ash", "bay")


def _action(chance: random.Random, at: int, tick: int) -> Action:
    kind = chance.choice(["ADD", "ADD", "DROP", "UNDO", "UNDO", "REDO", "NOOP"])
    given = {"word": chance.choice(WORDS)} if kind in ("ADD", "DROP") else {}
    moment = BEGIN + 10 * chance.randint(0, tick)
    stamp = render(Microseconds(moment)) if chance.random() < 0.3 else None
    return Action(f"{chance.choice('az')}{at}", kind, "global", stamp, given)


async def _grow(replica: Replica, chance: random.Random) -> None:
    await replica.create()
    for tick in range(chance.randint(5, 40)):
        replica.clock += 10
        jobs = [
            replica.mutation(MAIN, [_action(chance, 100 * tick + at, tick)])
            for at in range(chance.choice([1, 1, 2, 4]))
        ]
        await replica.submit(*jobs)
        if chance.random() < 0.1:
            replica.tables.cache.clear()
        if chance.random() < 0.1:
            version = 1 if tick < 20 else 2
            given = {"model": "test/words", "document_id": "d1", "from_version": version}
            upgrade = given | {"to_version": version + 1}
            action = Action(f"u{tick}", "UPGRADE_DOCUMENT", "document", None, upgrade)
            if version == 1:
                await replica.submit(replica.mutation(HOME, [action]))


def _lose(replica: Replica, chance: random.Random) -> None:
    """Prune some keyframes, and let others say what is not so."""
    for label in list(replica.keyframes.labels(MAIN)):
        key = b"k/" + record_key(MAIN, label)
        fate = chance.random()
        if fate < 0.2:
            replica.store.write([Row(key, None)], {}, now_ms=1)
        elif fate < 0.3:
            replica.store.write([Row(key, b"{}")], {}, now_ms=1)
    replica.keyframes.forget()


async def _check(seed: int) -> None:
    chance = random.Random(seed)
    replica = Replica(
        "r",
        Settings(
            app="test",
            keyframe_policy="fixed",
            keyframe_interval=chance.choice([1, 2, 5]),
            keyframes_kept=chance.choice([1, 8]),
            cache_ring_states=chance.choice([1, 3, 10]),
        ),
    )
    await _grow(replica, chance)
    stored = replica.stored(MAIN)
    wanted = [
        encode(oracle.words_of(oracle.effective(stored[: index + 1])))
        for index in range(len(stored))
    ]
    _lose(replica, chance)
    cache = replica.tables.cache
    for is_warm in (True, False):
        indexes = list(range(len(stored)))
        chance.shuffle(indexes)
        for index in indexes:
            if not is_warm:
                cache.clear()
            state = await cache.get(MAIN, index)
            assert (state.label, state.content) == (index, wanted[index])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**64))
def test_a_state_is_the_fold_of_the_effective_history_at_every_index(seed: int) -> None:
    asyncio.run(_check(seed))
