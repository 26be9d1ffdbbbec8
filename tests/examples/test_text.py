"""The text that many people edit."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor import Context, Origin
from docreactor.examples.text import Text, patched, text
from docreactor.pipeline.errors import InvalidInputError

CONTEXT = Context(
    "2026-11-21T00:00:00.000000Z", "a1", None, Origin("d1", "example/text", "main", "2026-11-21")
)


def _edited(content: str, patches: Any) -> str:
    state = text.apply(1, "global", "EDIT", Text(content=content), {"patches": patches}, CONTEXT)
    return str(state.content)


def test_patches_apply_one_after_the_other() -> None:
    assert _edited("", [[0, 0, "Hello"], [5, 0, " world"], [0, 5, "Bye"]]) == "Bye world"
    assert _edited("abc", []) == "abc"
    assert _edited("abc", [[1, 1, ""]]) == "ac"


def test_positions_count_code_points() -> None:
    assert _edited("a🦊é", [[2, 1, "e"], [1, 1, "fox"]]) == "afoxe"


@given(st.text(), st.integers(0, 20), st.integers(0, 20), st.text(max_size=5))
def test_a_patch_is_the_same_as_rewriting_a_list_of_characters(
    content: str, position: int, deleted: int, inserted: str
) -> None:
    characters = list(content)
    if position + deleted > len(content):
        with pytest.raises(ValueError, match="ends outside the text"):
            patched(content, [(position, deleted, inserted)])
        return
    characters[position : position + deleted] = inserted

    assert patched(content, [(position, deleted, inserted)]) == "".join(characters)


def test_a_patch_outside_of_the_text_raises_and_says_where() -> None:
    with pytest.raises(ValueError, match="patch at 2 deleting 2 ends outside the text of 3"):
        _edited("abc", [[0, 0, ""], [2, 2, "x"]])


@pytest.mark.parametrize(
    "patches", [None, [[0, 0]], [[-1, 0, "x"]], [[0, -1, "x"]], [[0, 0, 5]], [[0.5, 0, "x"]], "abc"]
)
def test_a_patch_of_another_shape_is_refused_before_anything_is_stored(patches: Any) -> None:
    with pytest.raises(InvalidInputError, match="patches"):
        text.check(1, "global", "EDIT", {"patches": patches})


def test_edits_of_a_hundred_thousand_letters_take_a_fifth_of_a_millisecond() -> None:
    state = Text(content="é" * 100_000)
    input = {"patches": [[50_000, 1, "xy"]]}

    def seconds() -> float:
        started = process_time()
        for _ in range(100):
            after = text.apply(1, "global", "EDIT", state, input, CONTEXT)
            text.write(1, "global", after)
        return (process_time() - started) / 100

    assert min(seconds() for _ in range(5)) < 0.0002
