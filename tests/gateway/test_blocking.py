"""The Python client for programs without async."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from docreactor import Reactor, SyncReactor
from docreactor.pipeline.errors import DocumentNotFoundError
from tests.gateway.deployment import TODO_TYPE, several_nodes

CALLS = (
    "create",
    "submit",
    "delete",
    "erase",
    "load",
    "undo",
    "redo",
    "rename",
    "upgrade",
    "relate",
    "update_relationship",
    "unrelate",
    "add_children",
    "remove_children",
    "batch",
    "cancel",
    "job",
    "wait",
    "get",
    "find",
    "history",
    "positions",
    "models",
    "make_keyframes",
    "make_keyframes_of_partition",
    "verify",
    "verify_partition",
)


async def test_each_call_blocks_until_its_answer() -> None:
    def ask(url: str) -> object:
        with SyncReactor(url) as reactor:
            job = reactor.create(TODO_TYPE, id="shop-1", wait="read")
            assert reactor.wait(job.id).status == job.status
            with pytest.raises(DocumentNotFoundError):
                reactor.get("nobody")
            return reactor.get("shop-1").state["global"]

    async with several_nodes(1) as (only,):
        shown = await asyncio.to_thread(ask, str(only.http.base_url))

    assert shown == {"items": [], "completed": []}


def test_it_has_every_call_of_the_other() -> None:
    public = {
        name
        for name, _ in inspect.getmembers(Reactor, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert public == set(CALLS)
    for name in CALLS:
        assert getattr(SyncReactor, name).__doc__ == getattr(Reactor, name).__doc__


def test_outside_of_with_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        SyncReactor().models()
