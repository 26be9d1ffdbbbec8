"""Patches turn one text into another, whatever the texts hold."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from docreactor.gateway.git.patches import Patch, patches

LINES = st.lists(
    st.sampled_from(["a", "b", "", "same", "\N{OWL}", "e\u0301", "\ufeff", "tab\t", "x" * 30]),
    max_size=30,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\u2028"])
TEXTS = st.builds(str.join, ENDS, LINES) | st.text()


def apply(text: str, changes: list[Patch]) -> str:
    for position, deleted, inserted in changes:
        assert 0 <= position <= position + deleted <= len(text)
        text = text[:position] + inserted + text[position + deleted :]
    return text


@settings(deadline=None, max_examples=400)
@given(TEXTS, TEXTS)
@example("", "\N{OWL}")
@example("no end of line", "no end of line\n")
@example("a\r\nb\r\n", "a\nb\n")
@example("aXa", "aa")
@example("\N{OWL}\N{OWL}", "\N{OWL}")
def test_applied_one_after_the_other_they_give_the_new_text(old: str, new: str) -> None:
    assert apply(old, patches(old, new)) == new


@given(TEXTS)
def test_equal_texts_need_no_patch(text: str) -> None:
    assert patches(text, text) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("one\ntwo\nthree\n", "one\n2\nthree\n", [(4, 3, "2")]),
        ("one\ntwo\n", "one\ntwo\nthree\n", [(8, 0, "three\n")]),
        ("one\ntwo\n", "two\n", [(0, 4, "")]),
        ("\N{OWL} says\n", "\N{OWL}\N{OWL} says\n", [(1, 0, "\N{OWL}")]),
        ("a\nb\nc\nd\n", "A\nb\nc\nD\n", [(0, 1, "A"), (6, 1, "D")]),
    ],
)
def test_a_patch_says_no_more_than_what_changed(old: str, new: str, expected: list[Patch]) -> None:
    assert patches(old, new) == expected


def test_patches_come_in_the_order_of_their_places() -> None:
    old = "".join(f"line {number}\n" for number in range(500))
    new = old.replace("7", "seven")

    changes = patches(old, new)

    assert len(changes) > 10
    assert all(left[0] < right[0] for left, right in pairwise(changes))
    assert apply(old, changes) == new


def test_a_large_file_that_is_other_throughout_costs_no_time() -> None:
    old = "".join(f"{number % 7} {number * number % 1009}\n" for number in range(60_000))
    new = "".join(f"{number % 5} {number * number % 997}\n" for number in range(60_000))

    begun = perf_counter()
    changes = patches(old, new)

    assert perf_counter() - begun < 2
    assert apply(old, changes) == new
