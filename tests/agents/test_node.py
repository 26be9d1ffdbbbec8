"""One process's agents over one log."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from tests.support.nodes import Site, done, site, total, until
from tests.support.steps import Gate

ADD = "ADD"


def _add(place: Site, document_id: str = "d1", amount: int = 1) -> Any:
    return place.job(document_id, [(ADD, {"amount": amount})])


async def test_closing_finishes_the_transaction_in_flight() -> None:
    place = site()
    gate = Gate("commit")
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(place.node(gate))
        await done(node, place.creation("d1"))
        gate.shut()
        await place.enqueue(_add(place))
        await until(lambda: gate.taken[-2:] == ["consumed", "commit"])
        closing = asyncio.create_task(stack.pop_all().aclose())
        # Everything but the commit has come to its end.
        await until(lambda: node.local(0) is None)
        await asyncio.sleep(0)
        gate.open()
        await closing
    async with place.node() as node:
        assert await total(node, "d1") == 1
    assert "abort" not in gate.taken
