"""Which events are of children of given documents."""

from __future__ import annotations

import pytest

from docreactor.gateway.events.notice import DELETED, UPDATED, Notice
from docreactor.gateway.events.wish import Wish
from docreactor.pipeline.errors import NotYetVisibleError
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import operation, scene

CHILDREN = Wish(parents=frozenset({"folder", "drive"}))


def about(document_id: str, branch: str | None = "main") -> Notice:
    return Notice(
        UPDATED if branch else DELETED, Offset(0), (document_id,), branch, "todo", {"global"}, b"{}"
    )


async def test_those_of_other_documents_are_not_admitted() -> None:
    async with scene() as here:
        here.edges |= {("folder", "d1", "main"), ("drive", "d2", "main"), ("drive", "d3", "draft")}

        admitted = await here.parents.admit(
            CHILDREN, [about("d1"), about("d2"), about("d3"), about("d3", "draft")], 0.0
        )

    assert admitted == [True, True, False, True]


async def test_an_erased_document_is_looked_for_on_the_branches_that_are_asked_for() -> None:
    on_draft = Wish(parents=frozenset({"drive"}), branches=frozenset({"draft"}))
    async with scene() as here:
        here.edges |= {("drive", "d3", "draft")}

        assert await here.parents.admit(on_draft, [about("d3", None)], 0.0) == [True]
        assert await here.parents.admit(CHILDREN, [about("d3", None)], 0.0) == [False]


async def test_it_waits_for_all_that_was_written_to_the_parents() -> None:
    at = partition_for("folder", 2)
    only = Wish(parents=frozenset({"folder"}))
    async with scene(partitions=2) as here:
        await here.store(operation("x"), partition=1 - at)
        assert await here.parents.admit(only, [about("d1")], 0.0) == [False]
        await here.store(operation("folder"), partition=at)

        with pytest.raises(NotYetVisibleError):
            await here.parents.admit(only, [about("d1")], 0.0)

        here.show(2, at)
        assert await here.parents.admit(only, [about("d1")], 0.0) == [False]
