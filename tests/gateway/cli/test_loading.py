"""The command that brings operations from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes


async def test_what_history_prints_is_loaded_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "operations.json"
    async with several_nodes(1) as (here,), several_nodes(1) as (there,):
        urls = str(here.http.base_url), str(there.http.base_url)
        await here.create("shop-1")
        await here.add("shop-1", "Milk", "Bread")
        created = await say("history", "shop-1", "--scope", "document", "--json", url=urls[0])
        added = await say("history", "shop-1", "--effective", "--json", url=urls[0])
        file.write_text(added.out)
        first = await say("load", "shop-1", "-", "--json", url=urls[1], stdin=created.out)
        second = await say("load", "shop-1", f"@{file}", "--source", "here", url=urls[1])
        document = await there.reactor.get("shop-1")

    assert first.json["status"] == "READ_READY"
    assert (second.code, "READ_READY" in second.out) == (0, True)
    assert document.state["global"]["items"] == ["Milk", "Bread"]


@pytest.mark.parametrize("given", ["3", '{"documents": []}', '["a"]'])
async def test_what_is_no_history_is_refused_before_anything_is_sent(given: str) -> None:
    said = await say("load", "shop-1", given, url="http://127.0.0.1:9")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("InvalidInput: OPERATIONS: must be a list of operations")
