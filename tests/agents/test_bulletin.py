"""What the owner of a partition tells of its read models."""

from __future__ import annotations

from typing import Any

from docreactor.agents.bulletin import Bulletin, lacking, tell_absent, told
from docreactor.agents.kept import Kept
from docreactor.agents.model_row import ModelRow
from docreactor.pipeline.errors import StoreFailedError, UnknownModelError
from docreactor.tables.wait import Reached
from tests.support.deployments import deployment
from tests.support.nodes import site
from tests.support.projecting import Nothing

COMMON: dict[str, Any] = {"epoch": 3, "error": None, "partition": 0, "url": "http://here"}


async def test_a_row_says_where_a_generation_is_and_what_holds_it() -> None:
    here = deployment(site())
    bulletin = Bulletin(here, 0, lambda: dict(COMMON))
    kept = Kept("words", 2, Nothing("words"))
    kept.reached.advance(7)
    bulletin.tell(kept, is_serving=True)
    row = here.board.row("view/words/2/0")
    assert row is not None
    assert (row["next_offset"], row["serving"], row["caught_up"]) == (7, True, False)
    kept.error = StoreFailedError("no space left")
    bulletin.tell(kept, is_serving=False)
    row = here.board.row("view/words/2/0")
    assert row is not None
    assert (row["error"], row["serving"], row["url"]) == ("no space left", False, "http://here")
    bulletin.forget("words", 2)
    assert here.board.row("view/words/2/0") is None


async def test_what_is_ready_and_what_cannot_run_here_are_told_too() -> None:
    here = deployment(site())
    bulletin = Bulletin(here, 0, lambda: dict(COMMON))
    ready = Reached(9)
    bulletin.tell_ready(ready)
    assert here.coordinator.ready(0).next_offset == 9
    assert here.board.row("ready/0") == {"epoch": 3, "next_offset": 9}
    bulletin.tell_missing("words", 0, lacking(ModelRow.first("words", 4)), reached=7)
    row = here.board.row("view/words/0/0")
    assert row is not None
    assert "no read model words version 4 is loaded here" in row["error"]
    assert (row["next_offset"], row["serving"]) == (None, False)


async def test_while_nothing_runs_every_read_model_has_a_row_without_a_position() -> None:
    here = deployment(site())
    here.coordinator.declare("documents", 1)
    tell_absent(here, 0, dict(COMMON))
    row = here.board.row("view/documents/0/0")
    assert row is not None
    assert (row["next_offset"], row["epoch"]) == (None, 3)


async def test_how_far_a_read_model_was_is_not_forgotten_while_nothing_runs() -> None:
    here = deployment(site())
    here.coordinator.declare("words", 1)
    kept = Kept("words", 0, Nothing("words"))
    kept.reached.advance(7)
    Bulletin(here, 0, lambda: dict(COMMON)).tell(kept, is_serving=True)
    tell_absent(here, 0, dict(COMMON))
    there = deployment(site())
    for key in ("model/words", "view/words/0/0"):
        row = here.board.row(key)
        assert row is not None
        there.board.tell(key, row)
    assert there.coordinator.reached("words", 0) == 7


async def test_of_a_retired_read_model_nothing_is_told() -> None:
    here = deployment(site())
    here.coordinator.declare("words", 1)
    here.coordinator.retire("words")
    tell_absent(here, 0, dict(COMMON))
    assert here.board.row("view/words/0/0") is None


def test_a_model_that_is_lacking_is_told_with_what_happens_then() -> None:
    assert "the partition waits" in told(UnknownModelError("a/b"))
    assert told(OSError("no space left")) == "no space left"
