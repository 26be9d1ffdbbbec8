"""Edges are the fold of each document's effective history, published by one owner at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from docreactor.agents.clock import SystemClock
from docreactor.agents.log import Entry
from docreactor.pipeline.edge import POSITION_KEY
from docreactor.pipeline.errors import (
    FencedError,
    LogError,
    RestoringError,
    StoreFailedError,
)
from docreactor.pipeline.position import Offset
from docreactor.tables.store import AnyRow, StoreIdentity
from tests.support.nodes import KeptStore
from tests.support.relating import (
    UNREADABLE,
    History,
    aside_in,
    folded,
    only_edges,
    own_store,
    position_in,
    publisher,
    publishing,
    related_to,
)
from tests.support.steps import Steps

DAY_S = 24 * 3600.0


@dataclass
class Ahead(SystemClock):
    """The machine's own, so much ahead."""

    ahead_s: float = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


class Failing(Steps):
    """A log that fails once at a step."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        if step == self.step:
            self.step = ""
            raise LogError("the log is away")


async def _edges(history: History) -> set[str]:
    """What a publisher leaves on the topic that goes from here to the end."""
    await history.write()
    async with publishing(history) as one:
        one.check()
        return {key.decode() for key in only_edges(folded(one.topic))}


async def test_an_added_edge_is_published_and_kept_with_all_that_it_carries() -> None:
    history = History()
    history.add("a", "b", metadata={"n": 1}, weight=0.5)
    history.add("a", "c", type="link")
    assert await _edges(history) == {"a/main/child/b", "a/main/link/c"}


async def test_an_edge_added_again_stays_as_it_was_and_what_is_not_there_cannot_change() -> None:
    history = History()
    history.add("a", "b", metadata={"n": 1})
    history.add("a", "b", metadata={"n": 2})
    history.update("a", "nobody", metadata=1)
    history.remove("a", "nobody")
    assert await _edges(history) == {"a/main/child/b"}


async def test_errors_and_denials_make_no_edges_and_end_none() -> None:
    history = History()
    history.add("a", "b")
    history.tell("a", "ADD_RELATIONSHIP", related_to("c"), error="DocumentDeleted: it is")
    history.tell("a", "REMOVE_RELATIONSHIP", related_to("b"), error="InvalidInput: it is")
    assert await _edges(history) == {"a/main/child/b"}


async def test_deleting_a_document_leaves_its_edges() -> None:
    history = History()
    history.add("a", "b")
    history.tell("a", "DELETE_DOCUMENT", {"document_id": "a"})
    assert await _edges(history) == {"a/main/child/b"}


async def test_a_reshuffle_that_supersedes_an_addition_drops_the_edge_unless_added_again() -> None:
    history = History()
    history.add("a", "b")
    kept = history.add("a", "c")
    await history.write()
    async with publishing(history) as one:
        assert set(one.rows) == {b"a/main/child/b", b"a/main/child/c"}
        history.tell("a", "SET_NAME", {"name": "x"}, skip=2)
        history.again(kept, "a")
        await history.write()
        await one.run()
        assert set(one.rows) == {b"a/main/child/c"}
        one.check()


async def test_what_was_undone_is_no_edge_until_it_is_done_again() -> None:
    history = History()
    history.add("a", "b")
    history.add("a", "c")
    history.tell("a", "UNDO")
    await history.write()
    async with publishing(history) as one:
        assert set(one.rows) == {b"a/main/child/b"}
        history.tell("a", "REDO")
        await history.write()
        await one.run()
        assert set(one.rows) == {b"a/main/child/b", b"a/main/child/c"}
        one.check()


async def test_a_fold_waits_until_the_operation_store_has_the_operation() -> None:
    history = History()
    history.add("a", "b")
    history.tell("a", "UNDO")
    await history.write(stored=False)
    async with publishing(history) as one:
        assert history.written
        one.check()


async def test_an_erasure_ends_the_edges_from_the_document_on_every_branch() -> None:
    history = History()
    history.add("a", "b")
    history.tell("a", "ADD_RELATIONSHIP", related_to("c"), branch="draft")
    history.add("b", "a")
    await history.write()
    async with publishing(history) as one:
        assert len(one.rows) == 3
        history.add("a", "d")
        history.erase("a")
        await history.write()
        await one.run()
        assert set(one.rows) == {b"b/main/child/a"}
        one.check()
        assert one.agent.table.remains.some(1) == []
        stood = [record for record in one.topic if (record.key or b"").startswith(b"a/")]
        assert stood[-1].value is None


async def test_an_owner_that_begins_anew_publishes_nothing_of_what_is_erased() -> None:
    history = History()
    history.add("a", "b")
    history.tell("a", "UNDO")
    history.erase("a")
    await history.write()
    async with publishing(history, size=1) as one:
        assert {record.key for record in one.topic} <= {b"a/", POSITION_KEY}
        assert aside_in(folded(one.topic)) == {}


async def test_nothing_is_published_of_a_batch_that_says_nothing_about_edges() -> None:
    history = History()
    for number in range(8):
        history.tell("a", "WRITE", {}, scope="global")
        history.other(f"document/global/document/{number:010d}".encode(), b"not looked at")
        history.tell("a", "SET_NAME", {"name": "x"})
    await history.write(stored=False)
    async with publishing(history) as one:
        assert one.topic == []
        assert one.agent.row() == {"published": 0}
        assert one.agent.position == history.end
        assert await publisher(history).agent.open() == history.end


async def test_a_position_is_published_after_ten_thousand_operations() -> None:
    history = History()
    for number in range(25_000):
        history.other(f"a/global/main/{number:010d}".encode(), b"{}")
    await history.write(stored=False)
    async with publishing(history, size=4_000) as one:
        told = [position_in({POSITION_KEY: record.value}) for record in one.topic]
        assert told == [12_000, 24_000]


async def test_what_came_and_went_within_a_batch_never_stands_again() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    async with publishing(history, size=9, host="A") as one:
        history.add("a", "c")
        history.remove("a", "c")
        await history.write()
        await one.run()
        told, _ = one.told[-1]
    # That position was said, and in smaller batches the edge would stand for a while.
    async with publishing(history, size=1, host="B") as one:
        assert one.told[-1][0] == told
        assert {record.key for record in one.topic} == {b"a/main/child/b", POSITION_KEY}


async def _set_aside(history: History) -> None:
    """A document of which one operation cannot be read, and two that are well."""
    history.add("bad", "x")
    history.spoil("bad")
    history.tell("bad", "SET_NAME", {"name": "x"})
    history.add("bad", "y")
    history.add("a", "b")
    await history.write()


async def test_a_document_that_cannot_be_read_is_set_aside_and_holds_up_no_other() -> None:
    history = History()
    await _set_aside(history)
    async with publishing(history, size=1) as one:
        assert set(one.rows) == {b"bad/main/child/x", b"a/main/child/b"}
        ((name, problem),) = one.agent.quarantined()
        assert (name, problem["title"]) == ("bad", "UndecodableRecord")
        assert one.agent.quarantine_of("bad") == problem
    # Whoever takes over knows it from the topic.
    async with publishing(history, host="B") as one:
        assert dict(one.agent.quarantined()) == {"bad": problem}
        one.check()


@pytest.mark.parametrize("value", [UNREADABLE, b'{"labels":1}'])
async def test_a_document_stays_aside_when_a_retry_fails_as_before(value: bytes) -> None:
    history = History()
    await _set_aside(history)
    async with publishing(history) as one:
        await one.agent.retry("bad", history.stored)
        assert aside_in(folded(one.topic)) == {"bad": "CorruptHistory"}
        history.other(b"bad/accepted", value)
        await history.write(stored=False)
        await one.run()
        assert aside_in(folded(one.topic)) == {"bad": "UndecodableRecord"}


async def test_a_retry_derives_a_document_anew_and_takes_it_back() -> None:
    history = History()
    history.add("a", "b")
    history.add("a", "c")
    await history.write()
    store = history.write_store
    key = b"o/a/document/main/0000000000"
    lost = store.get(key)
    async with publishing(history) as one:
        store.write([(key, None)], {}, now_ms=1)
        history.tell("a", "UNDO")
        await history.write()
        await one.run()
        assert aside_in(folded(one.topic)) == {"a": "CorruptHistory"}
        history.add("a", "d")
        await history.write()
        await one.run()
        assert set(one.rows) == {b"a/main/child/b", b"a/main/child/c"}
        store.write([(key, lost)], {}, now_ms=1)
        await one.agent.retry("a", history.stored)
        assert aside_in(folded(one.topic)) == {}
        assert list(one.agent.quarantined()) == []
        assert set(one.rows) == {b"a/main/child/b", b"a/main/child/d"}
        one.check()


async def test_an_accepted_document_is_derived_anew() -> None:
    history = History()
    history.add("a", "b")
    history.add("a", "c")
    await history.write()
    store, key = history.write_store, b"o/a/document/main/0000000000"
    lost = store.get(key)
    async with publishing(history) as one:
        store.write([(key, None)], {}, now_ms=1)
        history.tell("a", "UNDO")
        await history.write()
        await one.run()
        store.write([(key, lost)], {}, now_ms=1)
        history.accept("a")
        await history.write()
        await one.run()
        assert aside_in(folded(one.topic)) == {}
        one.check()


async def test_clearing_takes_a_document_back_with_the_edges_that_it_had() -> None:
    history = History()
    await _set_aside(history)
    async with publishing(history) as one:
        before = only_edges(folded(one.topic))
        await one.agent.clear("bad")
        await one.agent.clear("a")
        assert aside_in(folded(one.topic)) == {}
        assert only_edges(folded(one.topic)) == before
        history.add("bad", "z")
        await history.write(stored=False)
        await one.run()
        assert b"bad/main/child/z" in one.rows


async def test_a_retry_takes_no_operation_that_is_still_to_be_applied() -> None:
    history = History()
    history.update("a", "b", metadata="too early")
    await history.write()
    async with publishing(history) as one:
        history.add("a", "b", metadata="first")
        history.update("c", "x")
        history.add("c", "x")
        await history.write()
        # Applied on top of its own addition, the update before it would count.
        await one.agent.retry("a", history.stored)
        await one.agent.retry("c", history.stored)
        assert one.rows == {}
        await one.run()
        one.check()


async def test_a_retry_of_a_document_whose_erasure_is_still_to_be_met_leaves_it() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    async with publishing(history) as one:
        history.erase("a")
        await history.write()
        await one.agent.retry("a", history.stored)
        assert aside_in(folded(one.topic)) == {}
        await one.run()
        one.check()


async def test_a_retry_is_refused_while_very_much_is_still_to_be_applied() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    async with publishing(history) as one:
        history.write_store.write([], {history.source.topic: Offset(100_000)}, now_ms=1)
        with pytest.raises(RestoringError):
            await one.agent.retry("a", history.stored)
        history.add("a", "c")
        await history.write()
        await one.run()
        one.check()


async def test_whoever_owned_the_partition_before_is_fenced() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    old = publisher(history, host="A")
    await old.open()
    await old.run()
    new = publisher(history, host="B")
    await new.open()
    history.add("a", "c")
    await history.write()
    with pytest.raises(FencedError):
        await old.run()
    with pytest.raises(LogError, match="open it again"):
        await old.step()
    await new.run()
    new.check()
    # What says nothing about edges it may apply: what it says then is true all the same.
    assert old.told[-1][1] <= new.told[-1][1]


@pytest.mark.parametrize("step", ["begin", "send", "sent", "commit", "committed"])
async def test_after_a_failure_it_is_opened_again_and_reads_what_stands(step: str) -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    one = publisher(history, hook=Failing(step))
    await one.open()
    with pytest.raises(LogError, match="away"):
        await one.run()
    with pytest.raises(LogError, match="open"):
        await one.run()
    await one.agent.close()
    await one.agent.close()
    assert one.agent.row() == {}
    await one.open()
    await one.run()
    one.check()


class Torn(KeptStore):
    """A disk that is gone once, behind the first part of a large write."""

    part = 0
    has_failed = False

    def write(self, rows: Sequence[AnyRow], positions: Mapping[str, Offset], **how: Any) -> None:
        if self.part == 5_000 and not self.has_failed:
            self.has_failed = True
            raise StoreFailedError("the disk is gone for a moment")
        self.part = len(rows)
        super().write(rows, positions, **how)


async def test_very_many_rows_are_written_in_parts_and_again_when_one_is_lost() -> None:
    history = History()
    history.place.stores[own_store()] = Torn()
    for number in range(5_500):
        history.add("a", f"b{number}")
    await history.write()
    one = publisher(history, size=9_000)
    await one.open()
    with pytest.raises(StoreFailedError):
        await one.run()
    assert len(one.rows) == 5_000
    await one.agent.close()
    await one.open()
    assert one.position == history.end
    one.check()
    history.erase("a")
    await history.write()
    one.size = 12_000
    await one.run()
    assert one.rows == {}
    assert one.agent.table.remains.some(1) == []


async def test_a_failed_retry_is_made_good_by_the_next() -> None:
    history = History()
    await _set_aside(history)
    failing = Failing("")
    async with publishing(history, hook=failing) as one:
        failing.step = "committed"
        with pytest.raises(LogError, match="away"):
            await one.agent.clear("bad")
        # It stands, and opening again tells.
        await one.agent.retry("a", history.stored)
        assert list(one.agent.quarantined()) == []
        one_more = history.add("a", "c")
        assert one_more.index == 1
        await history.write()
        await one.run()


async def test_rows_of_another_log_or_another_schema_are_thrown_away() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    async with publishing(history):
        pass
    store = history.place.stores[own_store()]
    for identity in (StoreIdentity("f" * 32, 1), StoreIdentity("0" * 32, 99)):
        store.begin(identity)
        store.write([(b"e/x/main/child/y", b"{}")], {"test.relationships": Offset(1)}, now_ms=1)
        async with publishing(history) as one:
            one.check()


async def test_a_log_that_lost_operations_is_gone_on_with_at_its_end() -> None:
    history = History()
    history.add("a", "b")
    await history.write()
    later = Entry(POSITION_KEY, b'{"operations":1000}')
    await history.place.write(history.place.topics.relationships, later)
    async with publishing(history) as one:
        assert one.agent.position == history.end
        history.add("a", "c")
        await history.write()
        await one.run()
        assert b"a/main/child/c" in one.rows


async def test_a_right_that_was_not_used_for_a_day_is_taken_anew() -> None:
    history, clock, steps = History(), Ahead(), Steps()
    history.add("a", "b")
    await history.write()
    async with publishing(history, hook=steps, clock=clock) as one:
        clock.ahead_s += DAY_S + 1
        history.add("a", "c")
        await history.write()
        await one.run()
        assert steps.taken.count("opened") == 2
        one.check()
        # Whoever took over meanwhile has gone on from there.
        async with publishing(history, host="B") as other:
            history.add("a", "d")
            await history.write()
            await other.run()
        clock.ahead_s += DAY_S + 1
        with pytest.raises(LogError, match="another process"):
            await one.run()
