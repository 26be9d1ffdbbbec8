"""The commands about models: what runs, and read models that are kept no more."""

from __future__ import annotations

from docreactor.examples.todo import todo
from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes
from tests.gateway.routes.test_rows import Items
from tests.support.nodes import until


async def test_document_types_are_listed_with_their_actions() -> None:
    async with several_nodes(1, partitions=1) as (only,):
        shown = await say("models", url=only.node.url)
        listed = await say("models", "--json", url=only.node.url)
    assert "example/todo" in shown.out
    assert "ADD_ITEM" in shown.out
    assert {one["document_type"] for one in listed.json["models"]} >= {"example/todo"}


async def test_a_read_model_is_retired_and_revived() -> None:
    async with several_nodes(1, models=[todo, Items()], partitions=2) as (only,):
        url, coordinator = only.node.url, only.node.coordinator
        await only.create("a")
        await only.add("a", "milk")
        await until(lambda: "items" in coordinator.required)

        retired = await say("models", "retire", "items", url=url)
        assert retired.code == 0, retired.err
        assert "retired     yes" in retired.out
        assert "required    no" in retired.out
        assert "items" not in coordinator.required
        rows = await say("rows", "items", url=url)
        assert rows.err.startswith("UnknownReadModel: ")

        revived = await say("models", "revive", "items", "--json", url=url)
        assert (revived.json["retired"], revived.json["required"]) == (False, False)
        await until(lambda: "items" in coordinator.required)
        kept = await say("rows", "items", "--key", "of/a", "--json", url=url)
        assert [row["value"] for row in kept.json["rows"]] == [["milk"]]


async def test_the_platforms_own_and_unknown_ones_are_refused_by_name() -> None:
    async with several_nodes(1, partitions=1) as (only,):
        for name, refusal in (
            ("documents", "ReadModelNotRetirable"),
            ("relationships", "ReadModelNotRetirable"),
            ("nobody", "UnknownReadModel"),
        ):
            said = await say("models", "retire", name, url=only.node.url)
            assert (said.code, said.out) == (1, "")
            assert said.err.startswith(f"{refusal}: ")
