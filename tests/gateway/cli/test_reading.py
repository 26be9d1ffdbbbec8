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


async def test_documents_are_found_by_parent_by_last_change_and_among_the_deleted() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        for document_id in ("a", "b", "c"):
            await only.create(document_id)
        token = (await only.reactor.add_children("a", ["c"], wait="read")).token
        await only.reactor.delete("b", wait="read")
        newest = await say("find", "--type", TODO_TYPE, "--order", "updated", "--json", url=url)
        children = await say("find", "--parent", "a", "--after", token, "--json", url=url)
        deleted = await say("find", "--type", TODO_TYPE, "--deleted", url=url)
        refused = await say("get", "b", url=url)
        gone = await say("get", "b", "--include-deleted", "--header-only", url=url)
        by_slug = await say("get", "a", "--by", "slug", url=url)

    assert [one["header"]["id"] for one in newest.json["documents"]] == ["a", "c"]
    assert [one["header"]["id"] for one in children.json["documents"]] == ["c"]
    assert "DELETED" in deleted.out and deleted.out.count(TODO_TYPE) == 1
    assert refused.err.startswith("DocumentDeleted: ")
    assert "deleted" in gone.out and "items" not in gone.out
    assert by_slug.err.startswith("DocumentNotFound: ")
