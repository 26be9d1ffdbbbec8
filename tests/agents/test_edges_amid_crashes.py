"""Wherever a publisher ends, the topic and the next one's rows are the fold of the operations."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import msgspec
import pytest

from docreactor.agents.log import LogRecord
from docreactor.pipeline.edge import POSITION_KEY
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from tests.support import oracle
from tests.support.relating import (
    Folded,
    History,
    Publisher,
    aside_in,
    folded,
    only_edges,
    own_store,
    position_in,
    publisher,
    related_to,
)
from tests.support.seeds import Seeds
from tests.support.steps import Death, Killed, Steps

STEPS = ("open", "opened", "begin", "begun", "send", "sent", "commit", "committed")
"""Every step of a publisher to whom nothing is refused."""
SIZE = 3
Made = Callable[[], Awaitable[History]]


async def _history() -> History:
    """Edges that come, change, go and come back, on two branches and of two types."""
    history = History()
    for source_id in ("a", "b", "gone"):
        history.tell(source_id, "CREATE_DOCUMENT", {})
    history.add("a", "x", metadata={"n": 1})
    added = history.add("a", "y")
    history.tell("a", "WRITE", {}, scope="global")
    history.update("a", "x", metadata=None, weight=2.5)
    await history.write()

    # It comes and goes within one batch, whoever's that is.
    history.add("b", "x")
    history.remove("b", "x")
    history.update("b", "x", metadata="nothing to update")
    history.add("b", "x", metadata="later")
    history.add("gone", "x")
    await history.write()

    history.tell("a", "UNDO")
    history.tell("a", "UNDO")
    history.tell("a", "REDO")
    history.add("a", "z", type="link")
    history.tell("a", "UNDO", error="NothingToUndo: it says")
    await history.write()

    # It supersedes the addition of y and all after it; only that one is applied again, behind.
    removed = history.remove("a", "x")
    history.tell("a", "SET_NAME", {"name": "n"}, skip=removed.index + 1 - added.index)
    history.again(added, "a")
    history.add("bad", "x")
    history.add("bad", "y")
    history.spoil("bad")
    await history.write()

    history.tell("d", "CREATE_DOCUMENT", {}, branch="draft")
    history.tell("d", "ADD_RELATIONSHIP", related_to("x", type="t"), branch="draft")
    history.add("bad", "never")
    history.update("b", "x", weight=1.0)
    await history.write()

    history.erase("gone")
    history.remove("b", "x")
    history.tell("b", "WRITE", {}, scope="global")
    history.tell("b", "REDO", error="NothingToRedo: it says")
    await history.write()
    return history


def _without(standing: Folded, document_ids: set[str]) -> Folded:
    return {
        key: value
        for key, value in only_edges(standing).items()
        if key.partition(b"/")[0].decode() not in document_ids
    }


def _check_meaning(
    history: History, told: list[tuple[int, int]], topic: Sequence[LogRecord]
) -> None:
    """Whatever was said, at any time, was true; and nothing was said that went back."""
    records = history.place.records(history.place.topics.operations)
    erased = {erased_document(one.key): one.offset for one in records if erased_document(one.key)}

    def expected(below: int) -> Folded:
        # Before an erasure is met its document may have edges or not: its operations are gone.
        return _without(history.expected(below), _to_be_erased(below))

    def _to_be_erased(below: int) -> set[str]:
        return {str(one) for one, offset in erased.items() if offset >= below}

    said: list[tuple[int, int]] = list(told)
    for at, record in enumerate(topic):
        if record.key == POSITION_KEY:
            said.append((position_in(folded(topic[: at + 1])), record.offset + 1))
    for position, published in said:
        standing = folded(topic, published)
        assert _without(standing, _to_be_erased(position)) == expected(position), position
    # In the order of the topic, no position means less than one before it.
    said.sort(key=lambda one: (one[1], one[0]))
    for (before, _), (after, _) in pairwise(said):
        assert after >= before or expected(after) == expected(before)


async def _clean_run(made: Made) -> list[str]:
    steps = Steps()
    one = publisher(await made(), hook=steps, size=SIZE)
    await one.open()
    await one.run()
    one.check()
    return steps.taken


async def _die(history: History, death: Death, *, size: int = SIZE, host: str = "") -> Publisher:
    """One process, until its death or until everything is done."""
    one = publisher(history, hook=death, size=size, host=host)
    try:
        await one.open()
        await one.run()
    except Killed:
        assert death.happened
    return one


async def _finish(
    history: History, *before: Publisher, size: int = SIZE, host: str = ""
) -> Publisher:
    """A process that nothing ends finds everything as it must be."""
    one = publisher(history, size=size, host=host)
    await one.open()
    assert one.rows == only_edges(folded(one.topic))
    await one.run()
    one.check()
    told = [row for each in (*before, one) for row in each.told]
    _check_meaning(history, told, one.topic)
    return one


async def test_a_clean_run_takes_every_step_there_is() -> None:
    assert set(await _clean_run(_history)) == set(STEPS)
    history = await _history()
    one = await _finish(history)
    assert aside_in(folded(one.topic)) == {"bad": "UndecodableRecord"}
    assert [name for name, _ in one.agent.quarantined()] == ["bad"]
    kinds = {dict(record.headers).get("change") for record in one.topic}
    assert kinds == {None, b"added", b"updated", b"removed"}


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_publisher_may_end_at_any_step(step: str, wiped: bool) -> None:
    for number in range(1, (await _clean_run(_history)).count(step) + 1):
        history, death = await _history(), Death(step, number)
        dead = await _die(history, death)
        assert death.happened
        if wiped:
            del history.place.stores[own_store()]
        one = await _finish(history, dead)
        assert aside_in(folded(one.topic)) == {"bad": "UndecodableRecord"}


async def _drawn(chance: random.Random) -> History:
    """Whatever may stand in a log."""
    history, living = History(), ["a", "b", "c"]
    for _ in range(chance.randint(2, 12)):
        for _ in range(chance.randint(1, 8)):
            document_id, branch = chance.choice(living), chance.choice(["main", "main", "draft"])
            _draw(history, chance, document_id, branch)
        if chance.random() < 0.05 and len(living) > 1:
            history.erase(living.pop())
        await history.write(stored=chance.random() < 0.5)
    return history


def _draw(history: History, chance: random.Random, document_id: str, branch: str) -> None:
    if chance.random() < 0.2:
        history.tell(document_id, "WRITE", {}, scope="global", branch=branch)
        return
    stored = history.streams.get(Stream(document_id, "document", branch), [])
    kind = chance.choice(["ADD", "ADD", "UPDATE", "REMOVE", "UNDO", "REDO", "MOVE"])
    if kind in ("UNDO", "REDO"):
        error = None if _counts(stored, kind) else "Nothing: it says"
        history.tell(document_id, kind, error=error, branch=branch)
    elif kind == "MOVE":
        skip = chance.randint(0, len(stored))
        moved = [one for one in stored[len(stored) - skip :] if chance.random() < 0.7]
        history.tell(document_id, "SET_NAME", {"name": "n"}, skip=skip, branch=branch)
        for one in moved:
            if one.action.type not in ("UNDO", "REDO"):
                history.again(one, document_id, branch=branch, error=one.error)
    else:
        error = "Refused: it says" if chance.random() < 0.1 else None
        given = related_to(chance.choice("xyz"), type=chance.choice(["child", "link"]))
        if kind != "REMOVE":
            given["metadata"] = chance.choice([None, chance.randint(0, 9)])
        history.tell(document_id, f"{kind}_RELATIONSHIP", given, error=error, branch=branch)


def _counts(stored: Sequence[Operation], kind: str) -> bool:
    """Whether an UNDO or a REDO finds something behind these."""
    if not stored:
        return False
    before = oracle.effective(stored)
    marker = msgspec.structs.replace(
        stored[-1],
        index=len(stored),
        skip=0,
        error=None,
        action=msgspec.structs.replace(stored[-1].action, type=kind),
    )
    return not oracle.fails(marker, before)


async def _many_owners(chance: random.Random) -> None:
    """Publishers on two hosts, in turn, that end somewhere, with their rows or without."""
    history = await _drawn(chance)
    before: list[Publisher] = []
    for _ in range(chance.choice([1, 2, 4])):
        step, host = chance.choice(STEPS), chance.choice("AB")
        death = Death(step, chance.randint(1, 8))
        before.append(await _die(history, death, size=chance.randint(1, 9), host=host))
        if chance.random() < 0.2:
            history.place.stores.pop(own_store(host), None)
        if chance.random() < 0.2:
            history.place.cluster.compact(history.place.topics.operations)
    await _finish(history, *before, size=chance.randint(1, 9), host=chance.choice("AB"))


@pytest.mark.seeds(100, each=50)
async def test_many_owners_in_turn_publish_one_meaning(seeds: Seeds) -> None:
    for seed in seeds:
        with seeds.told(seed):
            await _many_owners(random.Random(seed))


@pytest.mark.nightly
@pytest.mark.seeds(5_000, each=250)
async def test_very_many_owners_in_turn_publish_one_meaning(seeds: Seeds) -> None:
    await test_many_owners_in_turn_publish_one_meaning(seeds)
