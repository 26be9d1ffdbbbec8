"""What operations say about a document's header."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.header import (
    NAME,
    SLUG,
    Fact,
    meta,
    meta_field,
    newest,
    read_facts,
    write_facts,
)

T0 = "2026-11-21T00:00:00.000000Z"
T1 = "2026-11-21T00:00:00.000001Z"


def test_of_each_field_the_newest_word_of_any_stream_stands() -> None:
    one = {NAME: Fact(T0, "z", "old"), SLUG: Fact(T1, "a", "s")}
    other = {NAME: Fact(T1, "a", "new")}
    expected = {NAME: other[NAME], SLUG: one[SLUG]}
    assert newest([one, other]) == newest([other, one]) == expected


def test_of_one_instant_the_greater_action_id_stands() -> None:
    one, other = {NAME: Fact(T0, "a", "one")}, {NAME: Fact(T0, "b", "other")}
    assert newest([one, other]) == newest([other, one]) == other


def test_words_that_do_not_compare_are_never_compared() -> None:
    one, other = {NAME: Fact(T0, "a", None)}, {NAME: Fact(T0, "a", "x")}
    assert newest([one, other]) == one


def test_nothing_said_leaves_the_header_as_it_was_created() -> None:
    assert newest([]) == {}
    assert meta({"k": 1}, {}) == {"k": 1}


def test_meta_is_changed_key_by_key_and_null_removes() -> None:
    facts = {
        meta_field("kept"): Fact(T0, "a", {"deep": [1]}),
        meta_field("gone"): Fact(T0, "b", None),
        meta_field("never"): Fact(T0, "c", None),
        NAME: Fact(T0, "d", "no meta"),
    }
    created: dict[str, Any] = {"gone": 1, "stays": 2}
    assert meta(created, facts) == {"stays": 2, "kept": {"deep": [1]}}
    assert created == {"gone": 1, "stays": 2}


def test_a_key_of_meta_is_no_field_of_the_header() -> None:
    assert len({NAME, SLUG, meta_field("name"), meta_field("slug")}) == 4


def test_facts_come_back_as_they_were_written() -> None:
    facts = {NAME: Fact(T0, "a", None), meta_field("k/ü"): Fact(T1, "b", {"x": [1, None]})}
    assert read_facts(write_facts(facts)) == facts
    assert read_facts({}) == {}


@pytest.mark.parametrize("content", [{"name": [1]}, {"name": 5}, {"name": [T0, "a", 1, 2]}])
def test_what_are_no_facts_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        read_facts(content)
