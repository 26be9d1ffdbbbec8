"""What every log must do. Each implementation's test class inherits it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random

import pytest

from docreactor.agents.log import (
    Entry,
    Isolation,
    Log,
    Reader,
    TopicPartition,
    Transaction,
    Transactor,
    Writer,
)
from docreactor.pipeline.errors import (
    FencedError,
    GroupHasMembersError,
    LogError,
    OffsetOutOfRangeError,
    RecordRefusedError,
)
from docreactor.pipeline.position import Offset
from docreactor.pipeline.topics import TopicDeclaration
from tests.agents.log.following import (
    Following,
    drive,
    eventually,
    following,
    read,
    read_until,
)

UNCOMMITTED = Isolation.UNCOMMITTED
OpenLog = Callable[[], Awaitable[Log]]


def entries(*values: str) -> list[Entry]:
    """One entry per value, keyed by it."""
    return [Entry(value.encode(), value.encode()) for value in values]


async def create(log: Log, name: str, partition_count: int = 1, **config: str) -> TopicPartition:
    """Make a topic and name its first partition."""
    config = {key.replace("_", "."): value for key, value in config.items()}
    await log.create([TopicDeclaration(name, partition_count, config)])
    return TopicPartition(name, 0)


async def send_and_fail(log: Log, to: TopicPartition, *values: str) -> None:
    """A transaction that its own block ends."""
    transactor = await log.transactor("failing")
    with pytest.raises(ZeroDivisionError):
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries(*values)})
            raise ZeroDivisionError
    await transactor.close()


class LogContract:
    """The promises of `agents/log`. `open_log` gives another process's view of the same cluster."""

    @pytest.fixture
    async def log(self, open_log: OpenLog) -> Log:
        return await open_log()

    async def test_records_come_back_as_they_were_written(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        headers = (("v", b"1"), ("cause", b"x"))
        written = [Entry(b"k0", b"v0"), Entry(b"k1", None), Entry(None, b"v2", headers)]
        writer = await log.writer()

        first = await writer.append(to, written)

        records, _ = await read(log, to)
        assert first == 0
        assert [record.offset for record in records] == [0, 1, 2]
        assert [(each.key, each.value, tuple(each.headers)) for each in records] == [
            (each.key, each.value, tuple(each.headers)) for each in written
        ]
        await writer.close()

    async def test_appends_at_the_same_time_each_learn_their_offset(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()

        firsts = await asyncio.gather(
            *(writer.append(to, entries(f"{i}a", f"{i}b")) for i in range(50))
        )

        records, _ = await read(log, to)
        values = {record.offset: record.value for record in records}
        assert len(values) == 100
        for i, first in enumerate(firsts):
            assert values[first] == f"{i}a".encode()
        await writer.close()

    async def test_a_transaction_is_seen_whole_or_not_at_all(self, log: Log, app: str) -> None:
        a = await create(log, f"{app}.a", 2)
        b = TopicPartition(a.topic, 1)
        transactor = await log.transactor(app)

        async with transactor.transaction() as transaction:
            offsets = await transaction.send({a: entries("1", "2"), b: entries("3")})
            assert offsets == {a: 0, b: 0}
            assert await read(log, a) == ([], 0)
            assert len((await read(log, a, UNCOMMITTED))[0]) == 2
        seen = [(await read(log, each, count=1))[0] for each in (a, b)]

        assert [[record.value for record in records] for records in seen] == [[b"1", b"2"], [b"3"]]
        await transactor.close()

    async def test_twelve_records_and_a_marker_move_the_position_by_thirteen(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)

        async with transactor.transaction() as transaction:
            await transaction.send({to: entries(*map(str, range(12)))})

        await eventually(lambda: log.end_offsets([to]), {to: 13})
        records, position = await read(log, to)
        assert len(records) == 12
        assert position == 13
        await transactor.close()

    async def test_the_position_moves_over_an_aborted_transaction_alone(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        await send_and_fail(log, to, "1", "2")

        await eventually(lambda: log.end_offsets([to]), {to: 3})
        records, position = await read(log, to)
        assert (records, position) == ([], 3)
        records, position = await read(log, to, UNCOMMITTED)
        assert [record.value for record in records] == [b"1", b"2"]
        assert position == 3

    async def test_a_transactor_goes_on_after_its_block_has_raised(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        with pytest.raises(ZeroDivisionError):
            async with transactor.transaction() as transaction:
                await transaction.send({to: entries("lost")})
                raise ZeroDivisionError

        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("kept")})

        records, _ = await read(log, to, count=1)
        assert [record.value for record in records] == [b"kept"]
        await transactor.close()

    async def test_many_records_of_one_send_stand_one_behind_the_other(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        content = Random(0).randbytes(4000).hex()

        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("0")})
            first = await transaction.send({to: [Entry(b"k", content.encode())] * 400})
            then = await transaction.send({to: entries("1")})

        assert first == {to: 1}
        assert then == {to: 401}
        await transactor.close()

    async def test_opening_a_transactional_id_again_fences_its_owner(
        self, log: Log, open_log: OpenLog, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        other = await open_log()
        old = await log.transactor(app)
        with pytest.raises(FencedError):
            async with old.transaction() as transaction:
                await transaction.send({to: entries("lost")})
                await (await other.transactor(app)).close()
                assert await log.end_offsets([to]) == {to: 2}
                await transaction.send({to: entries("never written")})
        with pytest.raises(FencedError):
            async with old.transaction() as transaction:
                await transaction.send({to: entries("never written")})

        new = await other.transactor(app)
        async with new.transaction() as transaction:
            await transaction.send({to: entries("kept")})

        records, _ = await read(log, to, count=1)
        assert [record.value for record in records] == [b"kept"]
        await old.close()
        await new.close()

    async def test_a_fenced_owner_commits_nothing(
        self, log: Log, open_log: OpenLog, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        old = await log.transactor(app)
        with pytest.raises(FencedError):
            async with old.transaction() as transaction:
                await transaction.send({to: entries("lost")})
                await transaction.consume({to: Offset(7)})
                await (await (await open_log()).transactor(app)).close()

        assert (await read(log, to))[0] == []
        assert await log.committed(to) is None
        await old.close()

    async def test_a_refused_record_leaves_nothing_of_its_transaction(
        self, log: Log, app: str
    ) -> None:
        wide = await create(log, f"{app}.wide")
        narrow = await create(log, f"{app}.narrow", max_message_bytes="10000")
        transactor = await log.transactor(app)
        with pytest.raises(RecordRefusedError):
            async with transactor.transaction() as transaction:
                await transaction.send({wide: entries("1"), narrow: [too_large()]})

        assert (await read(log, wide))[0] == []
        await transactor.close()

    async def test_a_refusal_that_was_caught_still_ends_the_transaction(
        self, log: Log, app: str
    ) -> None:
        wide = await create(log, f"{app}.wide")
        narrow = await create(log, f"{app}.narrow", max_message_bytes="10000")
        transactor = await log.transactor(app)
        with pytest.raises(RecordRefusedError):
            async with transactor.transaction() as transaction:
                await transaction.send({wide: entries("1")})
                await send_refused(transaction, narrow)
                await transaction.consume({wide: Offset(1)})

        assert (await read(log, wide))[0] == []
        assert await log.committed(wide) is None
        await transactor.close()

    async def test_after_a_refusal_the_transactional_id_is_opened_again(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a", max_message_bytes="10000")
        transactor = await log.transactor(app)
        with pytest.raises(RecordRefusedError):
            async with transactor.transaction() as transaction:
                await transaction.send({to: [too_large()]})
        with pytest.raises(LogError):
            async with transactor.transaction():
                pass
        await transactor.close()

        again = await log.transactor(app)
        async with again.transaction() as transaction:
            await transaction.send({to: entries("kept")})

        records, _ = await read(log, to, count=1)
        assert [record.value for record in records] == [b"kept"]
        await again.close()

    async def test_a_writer_goes_on_after_a_refused_record(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a", max_message_bytes="10000")
        writer = await log.writer()
        await writer.append(to, entries("1"))
        with pytest.raises(RecordRefusedError):
            await writer.append(to, [too_large()])

        await writer.append(to, entries("2"))

        records, _ = await read(log, to)
        assert [record.value for record in records] == [b"1", b"2"]
        await writer.close()

    async def test_offsets_are_committed_with_their_transaction_and_not_without(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        assert await log.committed(to) is None

        with pytest.raises(ZeroDivisionError):
            async with transactor.transaction() as transaction:
                await transaction.send({to: entries("1")})
                await transaction.consume({to: Offset(5)})
                raise ZeroDivisionError
        assert await log.committed(to) is None

        async with transactor.transaction() as transaction:
            await transaction.consume({to: Offset(6)})
        await eventually(lambda: log.committed(to), 6)
        await transactor.close()

    async def test_a_note_is_committed_with_its_offset_and_not_without(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        assert await log.note(to) == ""

        async with transactor.transaction() as transaction:
            await transaction.consume({to: Offset(5)}, note="five")
        await eventually(lambda: log.note(to), "five")
        with pytest.raises(ZeroDivisionError):
            async with transactor.transaction() as transaction:
                await transaction.consume({to: Offset(6)}, note="six")
                raise ZeroDivisionError
        async with transactor.transaction():
            pass
        assert await log.note(to) == "five"

        await transactor.close()
        await log.commit({to: Offset(7)})
        assert await log.note(to) == ""

    async def test_a_touched_partition_gets_the_marker_and_nothing_else(
        self, log: Log, app: str
    ) -> None:
        a = await create(log, f"{app}.a", 3)
        b, c = TopicPartition(a.topic, 1), TopicPartition(a.topic, 2)
        transactor = await log.transactor(app)

        async with transactor.transaction() as transaction:
            await transaction.send({a: entries("1")})
            await transaction.touch([b])
        with pytest.raises(ZeroDivisionError):
            async with transactor.transaction() as transaction:
                await transaction.touch([b])
                raise ZeroDivisionError

        await eventually(lambda: log.end_offsets([a, b, c]), {a: 2, b: 2, c: 0})
        assert await read(log, b, UNCOMMITTED) == ([], 2)
        await transactor.close()

    async def test_the_stable_end_stops_at_the_first_open_transaction(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        await writer.append(to, entries("1"))
        transactor = await log.transactor(app)

        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("2")})
            await writer.append(to, entries("3"))
            assert await log.end_offsets([to]) == {to: 1}
            assert await log.end_offsets([to], UNCOMMITTED) == {to: 3}

        await eventually(lambda: log.end_offsets([to]), {to: 4})
        assert await log.start_offsets([to]) == {to: 0}
        await writer.close()
        await transactor.close()

    async def test_what_was_written_at_a_time_or_later_is_found(self, log: Log, app: str) -> None:
        a = await create(log, f"{app}.a", 2)
        b = TopicPartition(a.topic, 1)
        writer = await log.writer()
        for value in "123":
            await writer.append(a, entries(value))
        records, _ = await read(log, a)
        times = [record.timestamp for record in records]

        for time_ms in (0, *times):
            expected = next(at for at, one in enumerate(times) if one >= time_ms)
            assert await log.offsets_since({a: time_ms}) == {a: expected}
        later = times[-1] + 1
        assert await log.offsets_since({a: later, b: later}) == {a: 3, b: 0}
        await writer.close()

    async def test_what_an_open_transaction_holds_back_is_not_passed_over(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        transactor = await log.transactor(app)
        async with transactor.transaction() as transaction:
            await transaction.send({to: entries("1")})
            since = await log.offsets_since({to: 0})
        records, _ = await read(log, to, count=1)

        assert since == {to: 0}
        assert [record.value for record in records] == [b"1"]
        await transactor.close()

    async def test_a_fetch_brings_at_most_what_was_asked_for(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        await writer.append(to, entries(*map(str, range(10))))
        reader = await log.reader({to: Offset(0)})

        positions: list[int] = []
        while not positions or positions[-1] < 10:
            for fetched in (await reader.fetch(count_max=4, timeout_ms=1000)).values():
                assert len(fetched.records) <= 4
                positions.append(fetched.next_offset)

        assert positions == [4, 8, 10]
        await reader.close()
        await writer.close()

    async def test_a_fetch_returns_when_something_comes(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        reader = await log.reader({to: Offset(0)})
        async with asyncio.timeout(20):
            waiting = asyncio.create_task(reader.fetch(count_max=10, timeout_ms=60_000))
            await writer.append(to, entries("1"))
            fetched = await waiting

        assert [record.value for record in fetched[to].records] == [b"1"]
        assert await reader.fetch(count_max=10, timeout_ms=1) == {}
        await reader.close()
        await writer.close()

    async def test_a_reader_reads_again_from_where_it_seeks(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        await writer.append(to, entries("0", "1", "2"))
        reader = await log.reader({to: Offset(1)})
        assert await read_until(reader, to, 3) == [b"1", b"2"]

        reader.seek(to, Offset(0))
        reader.seek(TopicPartition("not read", 0), Offset(0))

        assert await read_until(reader, to, 3) == [b"0", b"1", b"2"]
        await reader.close()
        await writer.close()

    async def test_a_position_that_the_log_does_not_hold_is_an_error(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        reader = await log.reader({to: Offset(1000)})
        with pytest.raises(OffsetOutOfRangeError, match="1000"):
            await reader.fetch(count_max=10, timeout_ms=20_000)

        await reader.close()

    async def test_members_share_equal_partitions_of_all_topics(self, log: Log, app: str) -> None:
        topics = [(await create(log, f"{app}.{name}", 8)).topic for name in "ab"]
        async with AsyncExitStack() as stack:
            members = [await stack.enter_async_context(following(log, topics)) for _ in range(3)]
            await drive(members, lambda: sorted(len(each.sources) for each in members) == [4, 6, 6])
            for each in members:
                numbers = [{s.partition for s in each.sources if s.topic == t} for t in topics]
                assert numbers[0] == numbers[1]
            assert len(frozenset[TopicPartition]().union(*(m.sources for m in members))) == 16

    async def test_all_partitions_are_revoked_before_new_ones_are_assigned(
        self, log: Log, app: str
    ) -> None:
        topic = (await create(log, f"{app}.a", 2)).topic
        async with following(log, [topic]) as one:
            await drive([one], lambda: len(one.sources) == 2)
            async with following(log, [topic]) as two:
                await drive([one, two], lambda: len(one.sources) == len(two.sources) == 1)
                assert one.heard[:3] == ["assigned 2", "revoked 2", "assigned 1"]
                assert two.heard[0].startswith("assigned")
            await drive([one], lambda: len(one.sources) == 2)
            assert one.heard[-2:] == ["revoked 1", "assigned 2"]

    async def test_what_a_listener_raises_comes_out_of_the_fetch(self, log: Log, app: str) -> None:
        topic = (await create(log, f"{app}.a")).topic
        async with following(log, [topic]) as one:
            one.failing = True
            with pytest.raises(ZeroDivisionError):
                await drive([one], lambda: False)

    async def test_partitions_start_paused_and_wait_for_their_place(
        self, log: Log, app: str
    ) -> None:
        a = await create(log, f"{app}.a", 2)
        b = TopicPartition(a.topic, 1)
        writer = await log.writer()
        for to in (a, b):
            await writer.append(to, entries("0", "1", "2"))
        async with following(log, [a.topic]) as one:
            await drive([one], lambda: len(one.sources) == 2)
            assert await one.member.fetch(count_max=10, timeout_ms=300) == {}

            one.member.seek(a, Offset(1))
            one.member.resume(a)

            assert await read_until(one.member, a, 3) == [b"1", b"2"]
            assert await one.member.fetch(count_max=10, timeout_ms=100) == {}
        await writer.close()

    async def test_a_pause_loses_nothing(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        writer = await log.writer()
        await writer.append(to, entries(*map(str, range(10))))
        async with following(log, [to.topic]) as one:
            await drive([one], lambda: len(one.sources) == 1)
            one.member.resume(to)
            fetched = await one.member.fetch(count_max=3, timeout_ms=20_000)
            assert fetched[to].next_offset == 3

            one.member.pause(to)
            await writer.append(to, entries("10"))
            assert await one.member.fetch(count_max=100, timeout_ms=200) == {}
            async with asyncio.timeout(20):
                waiting = asyncio.create_task(one.member.fetch(count_max=100, timeout_ms=60_000))
                await asyncio.sleep(0)
                one.member.resume(to)
                values = [record.value for record in (await waiting)[to].records]
            if len(values) < 8:
                values += await read_until(one.member, to, 11)

            assert values == [str(number).encode() for number in range(3, 11)]
        await writer.close()

    async def test_a_partition_that_is_not_assigned_cannot_be_steered(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        async with following(log, [to.topic]) as one:
            elsewhere = TopicPartition(to.topic, 7)
            one.member.seek(elsewhere, Offset(1))
            one.member.pause(elsewhere)
            one.member.resume(elsewhere)

    async def test_offsets_are_not_set_by_hand_while_there_are_members(
        self, log: Log, app: str
    ) -> None:
        to = await create(log, f"{app}.a")
        await log.commit({to: Offset(3)})
        assert await log.committed(to) == 3
        async with following(log, [to.topic]) as one:
            await drive([one], lambda: len(one.sources) == 1)
            with pytest.raises(GroupHasMembersError):
                await log.commit({to: Offset(4)})
        assert await log.committed(to) == 3

        await log.commit({to: Offset(4)})

        assert await log.committed(to) == 4

    async def test_only_missing_topics_are_created(self, log: Log, app: str) -> None:
        old = TopicDeclaration(f"{app}.old", 2, {"cleanup.policy": "compact"})
        new = TopicDeclaration(f"{app}.new", 3, {"retention.ms": "60000"})
        assert await log.create([old]) == [old.name]
        assert await log.create([old, new]) == [new.name]

        described = await log.describe([new.name, f"{app}.missing", old.name])

        assert [(each.name, each.partition_count) for each in described] == [
            (new.name, 3),
            (old.name, 2),
        ]
        assert described[0].config["retention.ms"] == "60000"
        assert described[1].config["cleanup.policy"] == "compact"
        assert await log.broker_count() == 1

    async def test_closing_twice_is_no_error(self, log: Log, app: str) -> None:
        to = await create(log, f"{app}.a")
        opened: list[Writer | Transactor | Reader] = [
            await log.writer(),
            await log.transactor(app),
            await log.reader({to: Offset(0)}),
            await log.member([to.topic], Following()),
        ]
        for each in opened * 2:
            await each.close()


def too_large() -> Entry:
    """What does not fit, compressed or not."""
    return Entry(b"large", Random(0).randbytes(50_000))


async def send_refused(transaction: Transaction, to: TopicPartition) -> None:
    """Send what is refused and carry on as if it was not."""
    with pytest.raises(RecordRefusedError):
        await transaction.send({to: [too_large()]})
