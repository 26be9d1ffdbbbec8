"""One generation of one read model in one partition."""

from __future__ import annotations

from docreactor.agents.kept import Kept, store_name
from docreactor.pipeline.errors import StoreFailedError
from tests.support.projecting import Nothing


def test_every_generation_has_a_store_of_its_own_but_edges_have_one() -> None:
    assert store_name("documents", 0) == "documents"
    assert store_name("documents", 2) == "documents-2"
    assert store_name("relationships", 2) == "relationships"
    assert store_name("words", 0) == "models/words-0"


def test_an_error_is_counted_each_time_and_told_when_it_changes() -> None:
    told: list[object] = []
    counted: list[str] = []
    kept = Kept("words", 0, Nothing("words"))
    kept.tell, kept.count = lambda: told.append(kept.error), counted.append
    error = StoreFailedError("no space left")
    kept.failed(error)
    kept.failed(error)
    kept.failed(OSError("gone"))
    kept.failed(None)
    kept.failed(None)
    assert counted == ["StoreFailed", "StoreFailed", "OSError"]
    assert [str(one) if one else None for one in told] == ["no space left", "gone", None]


def test_that_it_has_caught_up_is_told_as_a_move() -> None:
    moved: list[bool] = []
    kept = Kept("words", 0, Nothing("words"))
    kept.moved = lambda: moved.append(kept.has_caught_up)
    kept.caught_up()
    assert moved == [True]
