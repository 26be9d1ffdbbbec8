"""What one fetch does to the rows of a read model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from docreactor.agents.author_code import AuthorCode
from docreactor.agents.change_reader import ChangeReader
from docreactor.agents.pace import CHANGES_MAX
from docreactor.agents.row_batch import Keeping, RowBatch
from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.action import Action
from docreactor.pipeline.bound import UNBOUNDED
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.errors import StoreFailedError
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.settings import Settings
from docreactor.tables.memory import MemoryStore
from docreactor.tables.rows import RowsTable
from tests.support.drawn_history import create
from tests.support.kept_models import States, Tally
from tests.support.replicas import Record, Replica

TOPIC = "test.operations"
MOMENT = "2026-11-21T00:00:00.000000Z"


class Bench:
    """A read model over what a replica stored, batch by batch."""

    def __init__(self, model: ReadModel, replica: Replica) -> None:
        self.replica = replica
        self.store = MemoryStore()
        self.table = RowsTable(self.store)
        reader = ChangeReader(
            replica.store, replica.tables, replica.replay, Settings(app="test"), topic=TOPIC
        )
        code = AuthorCode(model, UNBOUNDED)
        self.keeping = Keeping(model, self.table, reader, code, TOPIC, (0.0, 0.0))

    async def take(self, records: Sequence[Any], *, replayed_below: int = 0) -> RowBatch:
        end = records[-1].offset + 1
        stored = max(end, len(self.replica.sent))
        self.replica.store.write([], {TOPIC: Offset(stored)}, now_ms=1)
        batch = RowBatch(self.keeping, replayed_below=replayed_below)
        await batch.take(records)
        self.store.write(batch.rows(end), {}, now_ms=1)
        return batch

    async def again(self, document_id: str, *, position: int = 0) -> RowBatch:
        batch = RowBatch(self.keeping, replayed_below=0)
        await batch.again(document_id)
        self.store.write(batch.rows(position), {}, now_ms=1)
        return batch

    @property
    def rows(self) -> dict[str, Any]:
        return {key: decode(content) for key, content in self.table.page("", limit=10_000)}

    @property
    def asides(self) -> dict[str, Any]:
        return {document_id: one.problem for document_id, one in self.table.quarantined()}


async def written(*document_ids: str, words: int = 3) -> Replica:
    """Documents of so many words each, in turn; one operation a job."""
    replica = Replica("a")
    for document_id in document_ids:
        await create(replica, document_id)
    for number in range(words):
        for document_id in document_ids:
            await add(replica, document_id, f"{document_id}-w{number}")
    return replica


async def add(replica: Replica, document_id: str, action_id: str) -> None:
    replica.clock += 1_000
    action = Action(action_id, "ADD", "global", None, {"word": "ash"})
    stream = Stream(document_id, "global", "main")
    assert await replica.submit(replica.mutation(stream, [action])) == [None]


def erase(replica: Replica, document_id: str) -> Record:
    """Have the operation store know of an erasure; its record."""
    key, content = erased_key(document_id), Erased(document_id, MOMENT).encode()
    rows = replica.tables.operations.lasting.rows(key, content)
    replica.store.write(rows, {}, now_ms=1)
    record = Record(len(replica.sent), key, content)
    replica.sent.append(record)
    return record


def fails_at(*action_ids: str) -> Tally:
    def fails(change: Change) -> bool:
        return change.operation is not None and change.operation.action.id in action_ids

    return Tally(fails)


async def test_everything_is_given_in_the_order_of_the_log_together() -> None:
    replica, tally = await written("a", "b"), Tally()
    batch = await Bench(tally, replica).take(replica.sent)
    assert tally.given == [
        *[("a", 0), ("a", 1), ("b", 0), ("b", 1)],
        *[("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)],
    ]
    assert tally.sizes == [10]
    assert (batch.applied, batch.skipped, batch.failed) == (10, 0, [])
    assert len(batch.effects) == 10


async def test_a_large_fetch_is_given_in_parts() -> None:
    replica, tally = await written("a", words=450), Tally()
    await Bench(tally, replica).take(replica.sent)
    assert sum(tally.sizes) == 452
    assert tally.sizes[0] == CHANGES_MAX == max(tally.sizes)


async def test_what_a_read_model_does_not_want_is_left_out() -> None:
    replica, tally = await written("a", "b"), Tally()
    tally.scopes = ("global",)
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    assert set(tally.given) == {(name, index) for name in "ab" for index in range(3)}
    for filters in ({"document_types": ("other",)}, {"branches": ("draft",)}):
        other = Tally()
        for name, value in filters.items():
            setattr(other, name, value)
        batch = await Bench(other, replica).take(replica.sent)
        assert (other.given, batch.applied) == ([], 0)


async def test_a_document_that_fails_is_set_aside_as_what_came_before_left_it() -> None:
    replica, tally = await written("a", "b"), fails_at("a-w1")
    bench = Bench(tally, replica)
    batch = await bench.take(replica.sent)
    rows = bench.rows
    assert rows["a/a-w0"] == 1
    assert not {"a/a-w1", "a/a-w2"} & rows.keys()
    assert {key for key in rows if key.startswith("b/b-w")} == {"b/b-w0", "b/b-w1", "b/b-w2"}
    assert rows["last"] == "b-w2"
    (problem,) = bench.asides.values()
    assert problem["title"] == "ReadModelFailed"
    assert problem["document_id"] == "a"
    assert problem["cause"].startswith("ValueError: no a-w1 (kept_models.py, line ")
    assert (batch.applied, batch.skipped, len(batch.failed)) == (8, 1, 1)
    assert len(batch.effects) == 8


async def test_a_document_is_tried_three_times_by_itself() -> None:
    replica, tally = await written("a", words=1), fails_at("a-w0")
    await Bench(tally, replica).take(replica.sent)
    assert tally.given.count(("a", 0)) == 1 + 1 + 1 + 3
    assert tally.sizes == [3, 1, 1, 1, 1, 1]


async def test_what_fails_once_only_sets_nothing_aside() -> None:
    replica = await written("a", words=1)
    left = 3

    def fails(_: Change) -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    bench = Bench(Tally(fails), replica)
    batch = await bench.take(replica.sent)
    assert bench.asides == {}
    assert (bench.rows["a/a-w0"], batch.applied, batch.failed) == (1, 3, [])


async def test_several_documents_that_fail_each_keep_their_own_cause() -> None:
    replica = await written("a", "b", "c")
    bench = Bench(fails_at("a-w0", "c-w2"), replica)
    batch = await bench.take(replica.sent)
    assert {name: one["cause"].partition(" (")[0] for name, one in bench.asides.items()} == {
        "a": "ValueError: no a-w0",
        "c": "ValueError: no c-w2",
    }
    assert len(batch.failed) == 2


async def test_how_the_log_is_cut_makes_no_difference_to_who_is_set_aside() -> None:
    replica = await written("a", "b")
    whole, cut = Bench(fails_at("a-w1"), replica), Bench(fails_at("a-w1"), replica)
    await whole.take(replica.sent)
    for record in replica.sent:
        await cut.take([record])
    assert list(whole.store.scan(b"", b"\xff")) == list(cut.store.scan(b"", b"\xff"))


async def test_later_operations_of_a_document_set_aside_are_counted_and_left_out() -> None:
    replica = await written("a", "b")
    bench = Bench(fails_at("a-w0"), replica)
    first = await bench.take(replica.sent)
    before = len(replica.sent)
    await add(replica, "a", "a-w3")
    await add(replica, "b", "b-w3")
    second = await bench.take(replica.sent[before:])
    assert (first.skipped, second.skipped, second.applied) == (2, 1, 1)
    assert [one.skipped for _, one in bench.table.quarantined()] == [3]
    assert bench.rows["b/b-w3"] == 1
    assert "a/a-w3" not in bench.rows


async def test_what_cannot_be_read_sets_its_document_aside_and_what_came_before_counts() -> None:
    replica = await written("a", "b", words=1)
    end = len(replica.sent)
    key = record_key(Stream("a", "global", "main"), 1)
    broken = [Record(end, key, b"{"), Record(end + 1, b"no stream", b"{}")]
    bench = Bench(Tally(), replica)
    batch = await bench.take([*replica.sent, *broken])
    assert bench.rows["a/a-w0"] == 1
    assert [problem["title"] for problem in bench.asides.values()] == ["UndecodableRecord"]
    assert [error.name() for error in batch.failed] == ["UndecodableRecord"] * 2
    future = Record(end + 2, record_key(Stream("b", "global", "main"), 1), b"{}", (("v", b"2"),))
    await bench.take([future])
    assert bench.asides["b"]["title"] == "UnknownFormat"


@pytest.mark.parametrize("key", [None, b"", b"\xff/", b"a/accepted", b"a/", b"a/b/c/x"])
async def test_a_record_of_nothing_holds_up_nobody(key: bytes | None) -> None:
    replica = await written("a", words=1)
    bench = Bench(Tally(), replica)
    strange: Any = Record(len(replica.sent), key or b"", b"{")
    batch = await bench.take([strange, *replica.sent])
    assert [error.name() for error in batch.failed] == ["UndecodableRecord"]
    assert batch.applied == 3


async def test_a_failure_of_the_place_comes_out_and_nothing_is_staged() -> None:
    class Fails(Tally):
        def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            super().apply(batch, writer)
            raise StoreFailedError("no space left")

    replica = await written("a")
    bench = Bench(Fails(), replica)
    with pytest.raises(StoreFailedError):
        await bench.take(replica.sent)
    assert (bench.rows, bench.asides) == ({}, {})


async def test_an_erasure_is_given_alone_also_of_a_document_set_aside() -> None:
    replica = await written("a", "b", words=1)
    tally = fails_at("a-w0")
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    tally.sizes.clear()
    batch = await bench.take([erase(replica, "a")])
    assert bench.rows["gone/a"] == len(replica.sent) - 1
    assert bench.asides == {}
    assert tally.sizes == [1]
    assert batch.erased == {"a"}


async def test_operations_of_a_document_that_is_gone_are_not_given_any_more() -> None:
    replica = await written("a", "b")
    erase(replica, "a")
    tally = Tally()
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    assert {name for name, _ in tally.given} == {"b"}
    assert {key for key in bench.rows if key.startswith("gone/")} == {"gone/a"}


async def test_what_an_erasure_touched_is_to_be_taken_out_of_the_files() -> None:
    replica = await written("a", words=2)
    bench = Bench(States(), replica)
    await bench.take(replica.sent)
    await bench.take([erase(replica, "a")])
    assert bench.rows == {}
    ((document_id, ranges),) = bench.table.remains.some(10)
    assert document_id == "a"
    starts = [start for start, _ in ranges]
    assert starts == [b"q/a", b"r/of/a/document/main", b"r/of/a/global/main", b"r/word/ash"]
    assert all(end == start + b"\0" for start, end in ranges)


async def test_very_many_rows_of_an_erasure_are_one_range() -> None:
    class Wide(Tally):
        def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            for number in range(100):
                writer.put(f"{number:03d}", number)

    replica = await written("a", words=1)
    bench = Bench(Wide(), replica)
    await bench.take([erase(replica, "a")])
    ((_, ranges),) = bench.table.remains.some(10)
    assert ranges == [(b"q/a", b"r/099\0")]


async def test_what_is_older_than_the_rows_is_a_replay_and_muted() -> None:
    told: list[tuple[int, bool, bool]] = []

    class Listens(Tally):
        def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            super().apply(batch, writer)
            told.extend((one.offset, one.is_replay, writer.muted) for one in batch)

    replica, listens = await written("a"), Listens()
    batch = await Bench(listens, replica).take(replica.sent, replayed_below=3)
    assert told == [(offset, offset < 3, offset < 3) for offset in range(5)]
    assert listens.sizes == [3, 2]
    assert len(batch.effects) == 2


class Moody(States):
    """As States, and fails at the second word of a document as long as it is moody."""

    is_moody = True

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        await super().apply(batch, writer)
        for change in batch:
            if self.is_moody and change.operation and change.operation.action.id == "a-w1":
                raise ValueError("in no mood")


async def test_a_document_is_applied_again_from_its_beginning_after_it_was_forgotten() -> None:
    replica, moody = await written("a", "b"), Moody()
    bench, whole = Bench(moody, replica), Bench(States(), replica)
    await whole.take(replica.sent)
    await bench.take(replica.sent)
    assert bench.rows["word/ash"] == whole.rows["word/ash"] - 2
    moody.is_moody = False
    await bench.again("a", position=len(replica.sent))
    assert bench.rows == whole.rows
    assert not bench.table.has_asides()


async def test_who_is_taken_back_is_not_given_again_what_the_log_still_brings() -> None:
    replica, tally = await written("a", "b"), fails_at("a-w1")
    bench = Bench(tally, replica)
    await bench.take(replica.sent[:7])
    assert bench.asides.keys() == {"a"}
    tally.fails = lambda _: False
    end = len(replica.sent)
    replica.store.write([], {TOPIC: Offset(end)}, now_ms=1)
    batch = await bench.again("a", position=7)
    assert batch.effects == []
    assert bench.rows["a/a-w0"] == 2
    assert bench.rows["a/a-w2"] == 1
    assert bench.table.aside("a") is not None
    await bench.take(replica.sent[7:])
    assert bench.rows["a/a-w2"] == 1
    await add(replica, "a", "a-w3")
    await bench.take(replica.sent[end:])
    assert bench.rows["a/a-w3"] == 1


async def test_who_fails_again_stays_aside_with_the_new_cause_and_old_count() -> None:
    replica, tally = await written("a"), fails_at("a-w0")
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    before = bench.rows
    tally.fails = lambda change: change.scope == "document"
    await bench.again("a")
    ((_, aside),) = bench.table.quarantined()
    assert aside.problem is not None
    assert aside.problem["cause"].startswith("ValueError: no a-c1")
    assert aside.skipped == 2
    assert bench.rows == before


async def test_of_a_document_that_is_gone_its_erasure_is_what_is_applied_again() -> None:
    replica = await written("a", words=1)
    tally = Tally()
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    gone = erase(replica, "a")
    fails = True

    class Fails(Tally):
        def apply(self, batch: Sequence[Change], writer: Writer) -> None:
            if fails:
                raise ValueError("not yet")
            super().apply(batch, writer)

    failing = Bench(Fails(), replica)
    await failing.take([gone])
    assert failing.asides.keys() == {"a"}
    fails = False
    await failing.again("a", position=len(replica.sent))
    assert failing.rows.keys() == {"gone/a"}
    assert failing.asides == {}


async def test_a_document_that_was_accepted_is_applied_again_if_it_was_set_aside() -> None:
    replica, tally = await written("a", "b"), fails_at("a-w1")
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    tally.fails = lambda _: False
    end = len(replica.sent)
    accepted = [
        Record(end + at, accepted_key(name), Accepted(name, MOMENT, {}).encode())
        for at, name in enumerate("ab")
    ]
    await bench.take(accepted)
    assert bench.asides == {}
    assert bench.rows["a/a-w2"] == 1
    assert bench.rows["b/b-w2"] == 1


async def test_who_is_released_goes_on_without_what_was_left_out() -> None:
    replica, tally = await written("a"), fails_at("a-w0")
    bench = Bench(tally, replica)
    await bench.take(replica.sent)
    batch = RowBatch(bench.keeping, replayed_below=0)
    batch.release("a")
    bench.store.write(batch.rows(len(replica.sent)), {}, now_ms=1)
    await add(replica, "a", "a-w3")
    await bench.take(replica.sent[-1:])
    assert bench.asides == {}
    assert {key for key in bench.rows if key.startswith("a/a-w")} == {"a/a-w3"}


async def test_the_waits_between_tries_share_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    replica = await written("a", "b", "c", words=1)
    bench = Bench(fails_at("a-w0", "b-w0", "c-w0"), replica)
    keeping = Keeping(
        bench.keeping.model,
        bench.table,
        bench.keeping.reader,
        bench.keeping.code,
        TOPIC,
        (0.5, 1.0),
    )
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("docreactor.agents.row_batch.asyncio.sleep", wait)
    batch = RowBatch(keeping, replayed_below=0)
    records: list[Any] = replica.sent
    await batch.take(records)
    assert len(batch.failed) == 3
    assert [one for one in waited if one] == [0.5, 1.0, 0.5]
