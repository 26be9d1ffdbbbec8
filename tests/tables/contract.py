"""What every store must do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from docreactor.pipeline.errors import StoreClosedError
from docreactor.pipeline.position import Offset
from docreactor.tables.store import Row, Store, StoreIdentity

IDENTITY = StoreIdentity("a" * 32, 1)
LEAST, GREATEST = b"", b"\xff" * 64


def rows_of(store: Store) -> list[tuple[bytes, bytes]]:
    """Everything that a store shows."""
    return list(store.scan(LEAST, GREATEST))


class StoreContract:
    """Each implementation's test class inherits it and gives the fixture `store`."""

    @pytest.fixture
    def begun(self, store: Store) -> Iterator[Store]:
        store.begin(IDENTITY)
        yield store
        store.close()

    def test_a_new_store_has_no_identity_no_rows_and_no_time(self, store: Store) -> None:
        assert store.identity is None
        assert store.written_ms is None
        assert store.positions() == {}
        assert rows_of(store) == []

    def test_compacting_shows_nothing_else(self, begun: Store) -> None:
        rows = [Row(b"%03d" % at, b"v") for at in range(200)]
        begun.write(rows, {"operations": Offset(7)}, now_ms=1)
        begun.write([Row(row.key, None) for row in rows[50:100]], {}, now_ms=1)
        before = rows_of(begun)

        begun.compact(b"020", b"120")

        assert rows_of(begun) == before
        assert begun.positions() == {"operations": 7}

    def test_a_write_moves_rows_and_positions_together(self, begun: Store) -> None:
        begun.write([Row(b"k", b"v")], {"operations": Offset(7)}, now_ms=1)

        assert begun.get(b"k") == b"v"
        assert begun.positions() == {"operations": 7}

    def test_a_position_moves_alone_when_no_row_came(self, begun: Store) -> None:
        begun.write([], {"operations": Offset(8)}, now_ms=1)

        assert begun.positions() == {"operations": 8}
        assert rows_of(begun) == []

    def test_a_topic_that_a_write_does_not_name_keeps_its_position(self, begun: Store) -> None:
        begun.write([], {"operations": Offset(1), "jobs": Offset(2)}, now_ms=1)
        begun.write([], {"operations": Offset(3)}, now_ms=1)

        assert begun.positions() == {"operations": 3, "jobs": 2}

    def test_what_positions_returned_does_not_move_later(self, begun: Store) -> None:
        before = begun.positions()
        begun.write([], {"operations": Offset(1)}, now_ms=1)

        assert before == {}

    def test_of_two_rows_of_one_write_the_later_wins(self, begun: Store) -> None:
        begun.write(
            [Row(b"a", b"1"), Row(b"a", b"2"), Row(b"b", b"1"), Row(b"b", None)], {}, now_ms=1
        )

        assert begun.get_many([b"a", b"b"]) == [b"2", None]

    def test_a_row_of_none_removes_the_key(self, begun: Store) -> None:
        begun.write([Row(b"a", b"1"), Row(b"b", b"2")], {}, now_ms=1)
        begun.write([Row(b"a", None), Row(b"never there", None)], {}, now_ms=2)

        assert rows_of(begun) == [(b"b", b"2")]

    def test_what_is_not_logged_shows_at_once_and_after_a_flush(self, begun: Store) -> None:
        begun.write([Row(b"a", b"1")], {"operations": Offset(4)}, now_ms=1, is_logged=False)
        before = rows_of(begun)
        begun.flush()

        assert before == rows_of(begun) == [(b"a", b"1")]
        assert begun.positions() == {"operations": 4}

    def test_there_may_be_nothing_to_flush(self, store: Store) -> None:
        store.flush()

        assert rows_of(store) == []

    def test_an_empty_value_is_a_value(self, begun: Store) -> None:
        begun.write([Row(b"a", b"")], {}, now_ms=1)

        assert begun.get(b"a") == b""
        assert rows_of(begun) == [(b"a", b"")]

    def test_many_keys_are_answered_in_the_order_asked(self, begun: Store) -> None:
        begun.write([Row(b"a", b"1"), Row(b"b", b"2")], {}, now_ms=1)

        assert list(begun.get_many([b"b", b"x", b"a", b"b"])) == [b"2", None, b"1", b"2"]
        assert list(begun.get_many([])) == []

    def test_a_scan_has_its_start_and_stops_before_its_end(self, begun: Store) -> None:
        begun.write([Row(bytes([i]), bytes([i])) for i in range(1, 8)], {}, now_ms=1)

        assert [key for key, _ in begun.scan(b"\2", b"\5")] == [b"\2", b"\3", b"\4"]
        assert list(begun.keys(b"\2", b"\5")) == [b"\2", b"\3", b"\4"]

    def test_a_scan_in_reverse_has_the_same_rows_the_other_way_round(self, begun: Store) -> None:
        begun.write([Row(bytes([i]), bytes([i])) for i in range(1, 8)], {}, now_ms=1)

        for start, end in ((b"\2", b"\5"), (b"", b"\xff"), (b"\2\0", b"\5\0")):
            rows = list(begun.scan(start, end))
            assert list(begun.scan(start, end, reverse=True)) == rows[::-1]
            assert list(begun.keys(start, end, reverse=True)) == [key for key, _ in rows[::-1]]

    @pytest.mark.parametrize("bounds", [(b"c", b"d"), (b"b", b"b"), (b"z", b"a"), (b"", b"")])
    def test_a_scan_of_nothing_is_empty_both_ways(
        self, begun: Store, bounds: tuple[bytes, bytes]
    ) -> None:
        begun.write([Row(b"a", b"1"), Row(b"b", b"2"), Row(b"e", b"3")], {}, now_ms=1)

        for reverse in (False, True):
            assert list(begun.scan(*bounds, reverse=reverse)) == []
            assert list(begun.keys(*bounds, reverse=reverse)) == []

    def test_the_least_and_the_greatest_keys_are_keys_like_any(self, begun: Store) -> None:
        keys = [b"\0", b"\0\0", b"\xff", b"\xff\xff"]
        begun.write([Row(key, key) for key in keys], {"operations": Offset(1)}, now_ms=1)

        assert [key for key, _ in rows_of(begun)] == keys
        assert begun.positions() == {"operations": 1}

    @pytest.mark.parametrize("reverse", [False, True])
    def test_a_scan_that_is_read_slowly_misses_nothing(self, begun: Store, reverse: bool) -> None:
        rows = [Row(f"k/{number:05d}/{'x' * 60}".encode(), b"v" * 100) for number in range(300)]
        begun.write(rows, {}, now_ms=1)
        slow = [
            (
                begun.scan(b"k/", b"k0", reverse=reverse),
                begun.keys(b"k/", b"k0", reverse=reverse),
            )
            for _ in range(20)
        ]
        for pairs, keys in slow:
            # Memory that an iterator forgot to keep is used by something else meanwhile.
            for _ in range(300):
                next(pairs)
                next(keys)
                list(begun.keys(b"a/", b"a0"))
            assert next(pairs, None) is None
            assert next(keys, None) is None

    def test_a_reader_gives_the_keys_that_a_scan_gives(self, begun: Store) -> None:
        keys = [b"%03d" % at for at in range(600)]
        begun.write([Row(key, b"v") for key in (b"\0", *keys, b"\xff")], {}, now_ms=1)
        reader = begun.reader()

        for start, end in ((LEAST, GREATEST), (b"100", b"101"), (b"1", b"4"), (b"1000", b"x")):
            assert list(reader.keys(start, end)) == list(begun.keys(start, end))
        assert list(reader.keys(b"400", b"100")) == []
        assert list(reader.keys(b"200", b"200")) == []

    def test_a_reader_reads_several_ranges_at_a_time_and_leaves_them(self, begun: Store) -> None:
        begun.write([Row(b"%04d" % at, b"v") for at in range(2_000)], {}, now_ms=1)
        reader = begun.reader()
        first, second = reader.keys(b"0", b"1"), reader.keys(b"1", b"2")

        for at in range(900):
            assert next(first) == b"%04d" % at
            assert next(second) == b"%04d" % (at + 1_000)
        assert next(reader.keys(b"0500", b"2")) == b"0500"
        assert next(first) == b"0900"

    def test_a_reader_goes_on_whatever_is_written_meanwhile(self, begun: Store) -> None:
        begun.write([Row(b"%03d" % at, b"v") for at in range(600)], {}, now_ms=1)
        keys = begun.reader().keys(LEAST, GREATEST)
        seen = [next(keys)]
        begun.write([Row(b"9", b"v"), *(Row(b"%03d" % at, None) for at in range(50))], {}, now_ms=2)
        seen += keys

        assert seen == sorted(set(seen))
        assert {b"000", *(b"%03d" % at for at in range(50, 600))} <= set(seen)

    def test_a_scan_may_be_left_unfinished(self, begun: Store) -> None:
        begun.write([Row(b"a", b"1"), Row(b"b", b"2")], {}, now_ms=1)
        rows = begun.scan(LEAST, GREATEST)

        assert next(rows) == (b"a", b"1")
        begun.write([Row(b"c", b"3")], {}, now_ms=2)
        assert [key for key, _ in rows_of(begun)] == [b"a", b"b", b"c"]

    def test_the_time_is_that_of_the_newest_write(self, begun: Store) -> None:
        assert begun.written_ms is None
        begun.write([Row(b"a", b"1")], {}, now_ms=1_000)
        begun.write([], {}, now_ms=2_000)

        assert begun.written_ms == 2_000

    def test_beginning_anew_leaves_nothing_but_the_identity(self, begun: Store) -> None:
        begun.write([Row(b"\0", b"1"), Row(b"\xff" * 9, b"2")], {"jobs": Offset(3)}, now_ms=1)
        other = StoreIdentity("b" * 32, 2)
        begun.begin(other)

        assert begun.identity == other
        assert begun.positions() == {}
        assert begun.written_ms is None
        assert rows_of(begun) == []

        begun.write([Row(b"k", b"v")], {}, now_ms=1)
        assert rows_of(begun) == [(b"k", b"v")]

    def test_a_hundred_thousand_rows_are_all_there_and_in_order(self, begun: Store) -> None:
        count = 100_000
        rows = [Row(b"%06d" % (i * 7919 % count), b"%d" % i) for i in range(count)]
        for start in range(0, count, 10_000):
            begun.write(rows[start : start + 10_000], {}, now_ms=1)

        keys = [key for key, _ in rows_of(begun)]
        assert keys == [b"%06d" % i for i in range(count)]
        assert len(list(begun.scan(b"050000", b"050100"))) == 100

    def test_a_closed_store_refuses_everything_by_name(self, begun: Store) -> None:
        begun.write([Row(b"a", b"1"), Row(b"b", b"2")], {}, now_ms=1)
        unfinished, unstarted = begun.scan(LEAST, GREATEST), begun.keys(LEAST, GREATEST)
        reader = begun.reader()
        next(unfinished)
        begun.close()
        begun.close()

        for use in (
            lambda: begun.get(b"a"),
            lambda: begun.get_many([b"a"]),
            lambda: list(begun.scan(LEAST, GREATEST)),
            lambda: list(begun.keys(LEAST, GREATEST)),
            lambda: next(unfinished),
            lambda: next(unstarted),
            lambda: list(reader.keys(LEAST, GREATEST)),
            lambda: list(begun.reader().keys(LEAST, GREATEST)),
            lambda: begun.write([], {}, now_ms=2),
            lambda: begun.begin(IDENTITY),
            begun.positions,
            lambda: begun.identity,
            lambda: begun.written_ms,
        ):
            with pytest.raises(StoreClosedError):
                use()
