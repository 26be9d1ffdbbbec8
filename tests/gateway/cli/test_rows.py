"""The commands that show read models."""

from __future__ import annotations

from docreactor.examples.todo import todo
from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes
from tests.gateway.routes.test_rows import Items


async def test_rows_are_shown_to_people_and_programs() -> None:
    async with several_nodes(1, models=[todo, Items()], partitions=1) as (only,):
        url = only.node.url
        await only.create("a")
        token = (await only.add("a", "milk", "bread", wait="write"))["token"]
        shown = await say("rows", "items", "--after", token, url=url)
        page = await say("rows", "items", "--prefix", "count/", "--json", url=url)
        by_key = await say("rows", "items", "--key", "of/a", "--document", "a", "--json", url=url)
        first = await say("rows", "items", "--limit", "1", url=url)
        nobody = await say("rows", "nobody", url=url)
    assert "of/a" in shown.out
    assert '["milk","bread"]' in shown.out
    assert [row["key"] for row in page.json["rows"]] == ["count/bread", "count/milk"]
    assert [row["value"] for row in by_key.json["rows"]] == [["milk", "bread"]]
    assert "--cursor" in first.err
    assert (nobody.code, nobody.out) == (1, "")
    assert nobody.err.startswith("UnknownReadModel: ")


async def test_read_models_are_shown_to_people_and_programs() -> None:
    async with several_nodes(1, models=[todo, Items()], partitions=2) as (only,):
        shown = await say("read-models", url=only.node.url)
        listed = await say("read-models", "--json", url=only.node.url)
    assert "items" in shown.out
    assert "2 of 2" in shown.out
    assert [one["name"] for one in listed.json["read_models"]] == [
        "documents",
        "items",
        "relationships",
    ]
