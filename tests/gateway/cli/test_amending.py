"""Commands that change what was said before."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes


async def test_a_change_is_undone_redone_renamed_and_upgraded() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("shop-1")
        await only.add("shop-1", "Milk")
        undone = await say("undo", "shop-1", "--json", url=url)
        empty = (await only.reactor.get("shop-1")).state["global"]["items"]
        redone = await say("redo", "shop-1", url=url)
        renamed = await say("rename", "shop-1", "Weekly shop", "--scope", "local", url=url)
        upgraded = await say("upgrade", "shop-1", "1", "--json", url=url)
        document = await only.reactor.get("shop-1")
        nothing = await say("redo", "shop-1", url=url)
        unknown = await say("upgrade", "shop-1", "2", url=url)

    assert [one.code for one in (undone, redone, renamed, upgraded)] == [0] * 4
    assert (undone.json["status"], empty) == ("READ_READY", [])
    assert "READ_READY" in redone.out
    assert document.state["global"]["items"] == ["Milk"]
    assert document.header.name == "Weekly shop"
    assert upgraded.json["error"] is None
    assert (nothing.code, nothing.out) == (1, "")
    assert nothing.err.startswith("NothingToRedo: ")
    assert unknown.err.startswith("UnknownModel: ")
