"""What a reducer may know besides state and input."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.context import Context, Origin

ORIGIN = Origin("d1", "example/todo", "main", "2026-11-21T00:00:00.000000Z")
CONTEXT = Context("2026-11-21T00:00:01.000000Z", "a1", None, ORIGIN)


def test_a_context_tells_the_actions_own_time_id_and_signer_and_the_document() -> None:
    assert (CONTEXT.timestamp, CONTEXT.id, CONTEXT.signer) == (
        "2026-11-21T00:00:01.000000Z",
        "a1",
        None,
    )
    assert (CONTEXT.header.id, CONTEXT.header.branch) == ("d1", "main")


@pytest.mark.parametrize(("value", "field"), [(CONTEXT, "id"), (ORIGIN, "branch")])
def test_a_reducer_cannot_change_what_it_is_told(value: Any, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(value, field, "other")


def test_contexts_of_the_same_action_are_equal_at_every_replay() -> None:
    assert Context("2026-11-21T00:00:01.000000Z", "a1", None, ORIGIN) == CONTEXT
