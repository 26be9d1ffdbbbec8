"""Which operations count, when UNDO and REDO are among them."""

from __future__ import annotations

import random

import pytest

from docreactor.pipeline.undo import Undoing

LASTING = ("CREATE_DOCUMENT", "UPGRADE_DOCUMENT", "NOOP")


def _counting(history: str) -> str:
    """Of a history in short the operations that count: `u` undoes, `r` redoes, `n` is a NOOP.

    One in capitals has an error; any other letter is an action.
    """
    types = {"u": "UNDO", "r": "REDO", "n": "NOOP"}
    undoing = Undoing()
    counting = [
        letter
        for letter in reversed(history)
        if undoing.counts(types.get(letter.lower(), "ADD"), has_error=letter.isupper())
    ]
    return "".join(reversed(counting))


@pytest.mark.parametrize(
    ("history", "counting"),
    [
        ("", ""),
        ("ab", "ab"),
        ("abu", "a"),
        ("abuu", ""),
        ("au", ""),
        ("abuuc", "c"),
        ("abucu", "a"),
        ("aubu", ""),
        ("abcuur", "ab"),
        ("abcuurr", "abc"),
        ("abuc", "ac"),
        ("abucr", "abc"),
        ("aburur", "ab"),
        ("aburu", "a"),
        ("abuur", "a"),
        ("abruu", ""),
    ],
)
def test_undos_and_redos_match_as_parentheses_do(history: str, counting: str) -> None:
    assert _counting(history) == counting


@pytest.mark.parametrize(
    ("history", "counting"), [("anu", "n"), ("abnnu", "ann"), ("an", "an"), ("nu", "n")]
)
def test_a_noop_is_passed_over(history: str, counting: str) -> None:
    assert _counting(history) == counting


@pytest.mark.parametrize(
    ("history", "counting"),
    [("aBu", ""), ("abU", "ab"), ("abUu", "a"), ("abuR", "a"), ("abuRr", "ab"), ("B", "")],
)
def test_what_has_an_error_counts_for_nothing_markers_too(history: str, counting: str) -> None:
    assert _counting(history) == counting


@pytest.mark.parametrize("action_type", LASTING)
def test_creation_and_upgrades_last(action_type: str) -> None:
    undoing = Undoing()
    assert not undoing.counts("UNDO", has_error=False)
    assert undoing.counts(action_type, has_error=False)
    assert not undoing.is_settled
    assert not undoing.counts("ADD", has_error=False)
    assert undoing.is_settled


def test_it_is_settled_when_nothing_further_down_is_touched() -> None:
    undoing = Undoing()
    settled = []
    for action_type in ("ADD", "REDO", "UNDO", "UNDO", "ADD", "ADD"):
        undoing.counts(action_type, has_error=False)
        settled.append(undoing.is_settled)
    assert settled == [True, False, True, False, True, True]


def test_it_says_whether_it_met_a_marker_that_counts() -> None:
    plain, failed, marked = Undoing(), Undoing(), Undoing()
    plain.counts("ADD", has_error=False)
    failed.counts("UNDO", has_error=True)
    marked.counts("REDO", has_error=False)
    assert [one.met_marker for one in (plain, failed, marked)] == [False, False, True]


def _forwards(history: str) -> str:
    """The same told from the oldest on, where every UNDO and REDO finds what it is for."""
    counting: list[int] = []
    undone: list[int] = []
    for at, letter in enumerate(history):
        if letter == "u":
            undone.append(counting.pop())
        elif letter == "r":
            counting.append(undone.pop())
            counting.sort()
        else:
            counting.append(at)
    return "".join(history[at] for at in counting)


def test_backwards_and_forwards_give_the_same() -> None:
    for seed in range(2_000):
        chance, history, counting, undone = random.Random(seed), "", 0, 0
        for _ in range(chance.randint(0, 12)):
            letter = chance.choice("aur")
            if letter == "u" and counting:
                history, counting, undone = history + "u", counting - 1, undone + 1
            elif letter == "r" and undone:
                history, counting, undone = history + "r", counting + 1, undone - 1
            elif letter == "a":
                history, counting = history + chr(98 + len(history)), counting + 1
        assert _counting(history) == _forwards(history), f"seed {seed}: {history}"
