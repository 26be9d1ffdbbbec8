"""What one batch does to a read model's rows."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from docreactor.pipeline.errors import InvalidInputError
from docreactor.tables.memory import MemoryStore
from docreactor.tables.row_writer import RowWriter
from docreactor.tables.rows import RowsTable
from docreactor.tables.store import Row


def _table(**values: Any) -> RowsTable:
    table = RowsTable(MemoryStore())
    writer = RowWriter(table)
    for key, value in values.items():
        writer.put(key, value)
    table.store.write(writer.rows(), {}, now_ms=1)
    return table


def test_what_it_wrote_is_read_before_what_is_stored() -> None:
    table = _table(a=1, b=2, c=3)
    writer = RowWriter(table)
    writer.put("b", 20)
    writer.delete("c")
    writer.put("d", 4)
    assert [writer.get(key) for key in "abcde"] == [1, 20, None, 4, None]
    assert list(writer.scan()) == [("a", 1), ("b", 20), ("d", 4)]
    assert [decoded for _, decoded in RowWriter(table).scan()] == [1, 2, 3]


def test_what_is_not_there_is_what_the_caller_says() -> None:
    writer = RowWriter(_table(a=None))
    assert writer.get("a", 5) is None
    assert writer.get("b", 5) == 5


def test_values_are_copies_on_the_way_in_and_out() -> None:
    writer = RowWriter(_table())
    value = {"list": [1]}
    writer.put("a", value)
    value["list"].append(2)
    writer.get("a")["list"].append(3)
    assert writer.get("a") == {"list": [1]}


def test_its_rows_are_those_that_it_wrote_the_last_of_each() -> None:
    writer = RowWriter(_table(a=1))
    writer.put("b", 1)
    writer.put("b", {"z": 1, "y": "é"})
    writer.delete("a")
    assert writer.rows() == [Row(b"r/b", '{"y":"é","z":1}'.encode()), Row(b"r/a", None)]
    assert writer.keys == [b"r/b", b"r/a"]


def test_rows_may_be_written_while_they_are_scanned() -> None:
    writer = RowWriter(_table(a=1, b=2, c=3))
    for key, value in writer.scan():
        writer.put(key, value * 10)
        writer.delete("c")
    assert list(writer.scan()) == [("a", 10), ("b", 20)]


def test_a_writer_above_another_reads_through_it_and_is_adopted_or_dropped() -> None:
    below = RowWriter(_table(a=1))
    below.put("b", 2)
    dropped, adopted = RowWriter(below), RowWriter(below)
    dropped.put("a", 9)
    adopted.delete("a")
    adopted.put("c", 3)
    assert list(adopted.scan()) == [("b", 2), ("c", 3)]
    below.adopt(adopted)
    assert list(below.scan()) == [("b", 2), ("c", 3)]


@pytest.mark.parametrize("key", ["", "a" * 1_001, "é" * 501, "\ud800", b"bytes", 5, None])
def test_what_can_be_no_key_is_refused(key: Any) -> None:
    writer = RowWriter(_table())
    for use in (writer.get, writer.delete, lambda one: writer.put(one, 1)):
        with pytest.raises(InvalidInputError, match="key: "):
            use(key)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", {1: 2}, 2**70])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    writer = RowWriter(_table())
    with pytest.raises(TypeError):
        writer.put("a", value)
    assert writer.rows() == []


def test_effects_wait_in_their_order_unless_it_is_muted() -> None:
    told: list[str] = []
    below, muted = RowWriter(_table()), RowWriter(_table(), muted=True)
    for writer in (below, muted):
        for name in "ab":
            writer.effect(partial(told.append, name))
    above = RowWriter(below)
    above.effect(partial(told.append, "c"))
    below.adopt(above)
    for effect in below.effects:
        effect()
    assert told == ["a", "b", "c"]
    assert (muted.effects, muted.muted, below.muted) == ([], True, False)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_written_reads_as_a_plain_mapping_would(seed: int) -> None:
    chance = random.Random(seed)
    keys = [f"{a}{b}" for a in "abé" for b in ("", "/1", "/2", "🦊")]
    plain: dict[str, int] = {key: 0 for key in chance.sample(keys, 5)}
    below = RowWriter(_table(**plain))
    above: RowWriter | None = None
    before: dict[str, int] = {}
    for step in range(200):
        writer = above or below
        choice = chance.random()
        if choice < 0.5:
            key = chance.choice(keys)
            writer.put(key, step)
            plain[key] = step
        elif choice < 0.8:
            key = chance.choice(keys)
            writer.delete(key)
            plain.pop(key, None)
        elif above is None:
            above, before = RowWriter(below), dict(plain)
        else:
            if chance.random() < 0.5:
                below.adopt(above)
            else:
                plain = before
            above = None
        writer = above or below
        prefix = chance.choice(["", "a", "é/", "b🦊"])
        wanted = sorted((key, value) for key, value in plain.items() if key.startswith(prefix))
        assert list(writer.scan(prefix)) == wanted
        assert [writer.get(key) for key in keys] == [plain.get(key) for key in keys]
