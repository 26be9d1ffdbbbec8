"""`rebuild keyframes` from the command line."""

from __future__ import annotations

from typing import Any

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes


async def test_keyframes_of_one_document_or_of_all_are_made_again() -> None:
    policy: dict[str, Any] = {"keyframe_policy": "fixed", "keyframe_interval": 2}
    async with several_nodes(1, partitions=2, **policy) as (running,):
        for number in range(3):
            await running.create(f"d{number}")
            await running.add(f"d{number}", *"abcde")

        one = await say("rebuild", "keyframes", "--document", "d1", "--json", url=running.node.url)
        every = await say("rebuild", "keyframes", url=running.node.url)

    assert one.code == 0, one.err
    assert one.json == {"documents": 1, "removed": 2, "stored": 2, "findings": []}
    assert every.code == 0, every.err
    assert "documents  3" in every.out
    assert "stored     6" in every.out
