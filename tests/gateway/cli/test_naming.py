"""Commands that tell which documents there are and what they are called."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes


async def test_what_exists_is_told_to_people_and_scripts() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("a")
        there = await say("exists", "a", url=url)
        not_all = await say("exists", "a", "nobody", url=url)
        told = await say("exists", "nobody", "a", "--json", url=url)

    assert (there.code, not_all.code, told.code) == (0, 1, 1)
    assert "yes" in there.out and "no" in not_all.out
    assert told.json == {"exists": [False, True]}


async def test_slugs_and_their_rivals_are_shown() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        for document_id in ("a", "b"):
            await only.create(document_id, slug="docs/home")
        await only.create("c", slug="at")
        named = await say("slugs", "docs/home", url=url)
        contested = await say("slugs", "--contested", "--json", url=url)
        first = await say("slugs", "--limit", "1", url=url)

    assert "docs/home" in named.out and "at" not in named.out.split()
    (home,) = contested.json["slugs"]
    assert (home["document_id"], home["rivals"][0]["document_id"]) == ("b", "a")
    assert "--cursor" in first.err


async def test_the_branches_of_a_document_are_shown() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("a", name="first")
        await only.create("a", branch="draft", name="second")
        await only.reactor.delete("a", branch="draft", wait="read")
        shown = await say("branches", "a", url=url)
        told = await say("branches", "a", "--json", url=url)
        nobody = await say("branches", "nobody", url=url)

    for text in ("first", "second", "draft", "document 2"):
        assert text in shown.out
    assert [one["is_deleted"] for one in told.json["branches"]] == [True, False]
    assert nobody.err.startswith("DocumentNotFound: ")
