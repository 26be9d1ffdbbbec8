"""Commands that show documents."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import TODO_TYPE, several_nodes


async def test_documents_and_their_history_are_shown_to_people_and_programs() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("shop-1", slug="docs/groceries", name="Groceries")
        token = (await only.add("shop-1", "Milk", "Milk", "Bread", wait="write"))["token"]
        shown = await say("get", "docs/groceries", "--after", token, url=url)
        earlier = await say("get", "shop-1", "--at", "global:0", "--json", url=url)
        found = await say("find", "--type", TODO_TYPE, url=url)
        listed = await say("find", "--slug", "docs/groceries", "--json", url=url)
        history = await say("history", "shop-1", "--limit", "2", url=url)
        rest = await say("history", "shop-1", "--since", "1", "--json", url=url)
        effective = await say("history", "shop-1", "--effective", "--json", url=url)
        nobody = await say("get", "nobody", url=url)

    for text in ("shop-1", "Groceries", token.split(".")[0], '"Bread"', "global 3"):
        assert text in shown.out
    assert earlier.json["state"] == {"global": {"items": ["Milk"], "completed": []}}
    assert "docs/groceries" in found.out
    assert [one["header"]["id"] for one in listed.json["documents"]] == ["shop-1"]
    assert "ValueError: 'Milk' is on the list already" in history.out
    assert "--cursor" in history.err
    assert [one["index"] for one in rest.json["operations"]] == [2]
    assert [one["index"] for one in effective.json["operations"]] == [0, 1, 2]
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err.startswith("DocumentNotFound: ")
