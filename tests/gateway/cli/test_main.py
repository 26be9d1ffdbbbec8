"""The command line without its script."""

from __future__ import annotations

from tests.gateway.cli.running import say


async def test_it_runs_as_a_module() -> None:
    said = await say("--help")

    assert said.code == 0
    assert "docreactor" in said.out
