"""The rows of a read model over a log: opened, fed, retried."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from docreactor.agents.rows_projection import WAITS_S
from docreactor.pipeline.action import Action
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.tables.rocks import RocksStore
from docreactor.tables.store import StoreIdentity
from tests.agents.test_erasure_on_disk import holds
from tests.agents.test_row_batch import add, erase, fails_at, written
from tests.support.kept_models import States, Tally
from tests.support.nodes import LOG_ID
from tests.support.row_keeping import RowKeeping

IDENTITY = StoreIdentity(LOG_ID, 1)


class Notices(ReadModel):
    """Tells somebody of each operation, once its rows are written."""

    name = "notices"

    def __init__(self) -> None:
        self.told: list[str] = []
        self.rows: list[object] = []
        self.keeping: RowKeeping | None = None

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            if change.operation is not None:
                action_id = change.operation.action.id
                writer.put(action_id, 1)
                writer.effect(partial(self.tell, action_id))

    def tell(self, action_id: str) -> None:
        self.told.append(action_id)
        if self.keeping is not None:
            self.rows.append(self.keeping.rows.get(action_id))


async def test_rows_and_position_are_one_write() -> None:
    keeping = RowKeeping(await written("a", "b"), Tally())
    await keeping.feed()
    assert keeping.store.positions() == {keeping.source.topic: 10}
    assert keeping.projection.position == 10
    assert keeping.rows["last"] == "b-w2"
    assert keeping.store.identity == IDENTITY
    assert keeping.projection.name == "tally"
    assert keeping.projection.row() == {}


async def test_the_position_moves_alone_where_nothing_came() -> None:
    keeping = RowKeeping(await written("a"), Tally())
    await keeping.projection.open()
    await keeping.projection.apply([], Offset(99), stored=None)
    assert keeping.projection.position == 99


async def test_it_waits_until_the_operation_store_holds_what_it_applies() -> None:
    keeping = RowKeeping(await written("a"), Tally())
    await keeping.publish()
    await keeping.projection.open()
    waited: list[int] = []

    async def stored(next_offset: int) -> None:
        waited.append(next_offset)
        assert keeping.rows == {}

    records = keeping.place.records(keeping.source.topic)
    await keeping.projection.apply(records, Offset(len(records)), stored=stored)
    assert waited == [len(records)]


async def test_a_restart_goes_on_where_it_was() -> None:
    tally = Tally()
    keeping = RowKeeping(await written("a"), tally)
    await keeping.feed()
    before = list(tally.given)
    await keeping.projection.close()
    await add(keeping.replica, "a", "a-w3")
    keeping.again(tally)
    await keeping.feed()
    assert tally.given == [*before, ("a", 3)]


async def test_a_higher_version_and_another_log_begin_anew() -> None:
    keeping = RowKeeping(await written("a"), Tally())
    await keeping.feed()
    for identity in (StoreIdentity(LOG_ID, 7), StoreIdentity("f" * 32, 1)):
        keeping.store.begin(identity)
        keeping.store.write([(b"r/old", b"1")], {keeping.source.topic: Offset(4)}, now_ms=1)
        assert await keeping.projection.open() == 0
        assert (keeping.rows, keeping.store.identity) == ({}, IDENTITY)
        await keeping.feed()
        assert keeping.rows["last"] == "a-w2"


async def test_what_is_ahead_of_the_log_begins_anew() -> None:
    keeping = RowKeeping(await written("a"), Tally())
    await keeping.feed()
    keeping.store.write([(b"r/old", b"1")], {keeping.source.topic: Offset(1_000)}, now_ms=1)
    await keeping.feed()
    assert "old" not in keeping.rows


async def test_a_read_model_that_comes_later_replays_what_is_older_and_then_has_effects() -> None:
    notices = Notices()
    keeping = RowKeeping(await written("a"), notices)
    notices.keeping = keeping
    await keeping.publish()
    await keeping.feed()
    assert keeping.rows.keys() == {"a-c1", "a-c2", "a-w0", "a-w1", "a-w2"}
    assert notices.told == []
    await add(keeping.replica, "a", "a-w3")
    keeping.again(notices)
    await keeping.feed()
    assert notices.told == ["a-w3"]
    assert notices.rows == [1], "an effect comes after the write"


async def test_what_was_not_applied_before_a_restart_has_its_effects_after_it() -> None:
    notices = Notices()
    keeping = RowKeeping(await written("a", words=0), notices)
    await keeping.feed()
    for number in range(3):
        await add(keeping.replica, "a", f"a-w{number}")
    keeping.again(notices)
    await keeping.feed()
    assert notices.told == ["a-w0", "a-w1", "a-w2"]


async def test_a_generation_that_does_not_serve_has_no_effects() -> None:
    is_muted, notices = True, Notices()
    keeping = RowKeeping(await written("a", words=0), notices, is_muted=lambda: is_muted)
    await keeping.feed()
    await add(keeping.replica, "a", "a-w0")
    await keeping.feed()
    is_muted = False
    await add(keeping.replica, "a", "a-w1")
    await keeping.feed()
    assert notices.told == ["a-w1"]


async def test_what_another_owner_has_applied_has_no_effects_here() -> None:
    notices = Notices()
    keeping = RowKeeping(await written("a", words=0), notices)
    await keeping.feed()
    for number in range(3):
        await add(keeping.replica, "a", f"a-w{number}")
    coordinator, board = keeping.deployment.coordinator, keeping.deployment.board
    coordinator.declare("notices", 1)
    row = {"epoch": 1, "name": "notices", "generation": 0, "partition": 0, "serving": True}
    board.tell("view/notices/0/0", row | {"next_offset": 4})
    keeping.again(notices)
    await keeping.feed()
    assert notices.told == ["a-w2"]


async def test_documents_set_aside_are_told_of_together_with_every_cause() -> None:
    keeping = RowKeeping(await written("a", "b"), fails_at("a-w0", "b-w1"))
    with capture_logs() as lines:
        await keeping.feed()
    (line,) = [one for one in lines if one["event"] == "documents set aside"]
    assert line["error"] == "SeveralFailed"
    assert [one["document_id"] for one in line["causes"]] == ["a", "b"]
    assert {name: one["skipped"] for name, one in keeping.asides.items()} == {"a": 2, "b": 1}
    assert all(one["title"] == "ReadModelFailed" for one in keeping.asides.values())
    problem = keeping.projection.quarantine_of("a")
    assert problem is not None
    assert problem["cause"] == keeping.asides["a"]["cause"]
    assert keeping.projection.quarantine_of("nobody") is None
    assert keeping.counted("errors_total", name="ReadModelFailed") == 2
    assert keeping.counted("read_model_operations_total", model="tally", outcome="applied") == 5
    assert keeping.counted("read_model_operations_total", model="tally", outcome="skipped") == 3


async def test_one_document_set_aside_is_told_of_by_its_own_error() -> None:
    keeping = RowKeeping(await written("a", "b"), fails_at("a-w2"))
    with capture_logs() as lines:
        await keeping.feed()
    (line,) = [one for one in lines if one["event"] == "documents set aside"]
    assert line["error"] == "ReadModelFailed"
    assert "no a-w2" in line["detail"]


async def test_a_document_that_is_retried_is_taken_back() -> None:
    tally = fails_at("a-w1")
    keeping = RowKeeping(await written("a", "b"), tally)
    await keeping.feed()
    written_ms = keeping.store.written_ms
    tally.fails = lambda _: False
    await keeping.retry("a")
    assert keeping.asides == {}
    assert keeping.rows["a/a-w2"] == 1
    assert keeping.store.written_ms == written_ms
    await add(keeping.replica, "a", "a-w3")
    await keeping.feed()
    assert keeping.rows["a/a-w3"] == 1


async def test_a_retry_waits_for_nothing_on_a_log_that_stands_still() -> None:
    keeping = RowKeeping(await written("a"), fails_at("a-w1"))
    await keeping.feed()

    async def stored(_: int) -> None:
        raise AssertionError("what was applied is stored")

    await keeping.projection.retry("a", stored)
    assert keeping.asides.keys() == {"a"}


async def test_a_document_that_is_not_set_aside_is_not_retried() -> None:
    tally = Tally()
    keeping = RowKeeping(await written("a"), tally)
    await keeping.feed()
    before = list(tally.given)
    for document_id in ("a", "nobody"):
        await keeping.retry(document_id)
        await keeping.projection.clear(document_id)
    assert tally.given == before
    assert keeping.asides == {}


async def test_a_document_that_is_cleared_goes_on_without_what_was_left_out() -> None:
    keeping = RowKeeping(await written("a"), fails_at("a-w1"))
    await keeping.feed()
    await keeping.projection.clear("a")
    assert keeping.asides == {}
    await add(keeping.replica, "a", "a-w3")
    await keeping.feed()
    assert {key for key in keeping.rows if key.startswith("a/a-w")} == {"a/a-w0", "a/a-w3"}


async def test_an_erased_document_leaves_nothing_where_the_author_drops_it() -> None:
    keeping = RowKeeping(await written("a", "b"), States())
    await keeping.feed()
    erase(keeping.replica, "a")
    await keeping.feed()
    assert keeping.rows == {
        "of/b/document/main": keeping.rows["of/b/document/main"],
        "of/b/global/main": {"words": ["ash"] * 3},
        "word/ash": 3,
    }
    assert not keeping.projection.table.remains.some(1)


async def test_what_an_author_drops_of_an_erased_document_is_in_no_file(tmp_path: Path) -> None:
    secret = secrets.token_hex(16)
    replica = await written("a", "b")
    action = Action(secret, "ADD", "global", None, {"word": secret})
    stream = Stream("a", "global", "main")
    assert await replica.submit(replica.mutation(stream, [action])) == [None]
    store: Any = RocksStore.open(tmp_path / "rows")
    try:
        keeping = RowKeeping(replica, States(), store)
        await keeping.feed()
        assert holds(list((tmp_path / "rows").iterdir()), secret)
        erase(replica, "a")
        await keeping.feed()
        assert keeping.rows["word/ash"] == 3
        stores = [one for one in (tmp_path / "rows").iterdir() if one.suffix in (".sst", ".log")]
        assert stores
        assert holds(stores, secret) == []
    finally:
        store.close()


async def test_compactions_that_a_process_left_are_done_by_the_next() -> None:
    keeping = RowKeeping(await written("a"), Tally())
    await keeping.feed()
    table = keeping.projection.table
    keeping.store.write([table.remains.row("gone", [(b"r/x", b"r/y")])], {}, now_ms=1)
    await keeping.projection.open()
    assert not table.remains.some(1)


def test_a_document_is_tried_within_two_seconds() -> None:
    assert len(WAITS_S) == 2
    assert sum(WAITS_S) < 2


async def test_closing_twice_does_no_harm() -> None:
    keeping = RowKeeping(await written("a"), States())
    for _ in range(2):
        await keeping.projection.close()
    await keeping.feed()
    assert keeping.rows["word/ash"] == 3
