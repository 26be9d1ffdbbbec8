"""Commands that relate documents."""

from __future__ import annotations

from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes


async def test_documents_are_related_and_set_apart_again() -> None:
    async with several_nodes(1) as (only,):
        url = str(only.http.base_url)
        await only.create("drive-1")
        edge = ("drive-1", "book-1", "cites")
        said = [
            await say("relate", *edge, "--metadata", '{"page": 1}', "--json", url=url),
            await say("relate", *edge, "--replace", "--weight", "0.5", url=url),
            await say("unrelate", *edge, url=url),
            await say("add-children", "drive-1", "a", "b", url=url),
            await say("remove-children", "drive-1", "b", "--wait", "none", "--json", url=url),
        ]
        token = (await only.reactor.wait(said[-1].json["id"])).token
        page = await only.reactor.history("drive-1", scope="document", since=1, token=token)
        self_edge = await say("relate", "drive-1", "drive-1", "cites", url=url)

    assert [one.code for one in said] == [0] * 5
    assert said[0].json["scope"] == "document"
    assert [one.action.type.partition("_")[0] for one in page.operations] == [
        "ADD",
        "UPDATE",
        "REMOVE",
        "ADD",
        "ADD",
        "REMOVE",
    ]
    assert page.operations[0].action.input["metadata"] == {"page": 1}
    assert page.operations[1].action.input["weight"] == 0.5
    assert (self_edge.code, self_edge.out) == (1, "")
    assert self_edge.err.startswith("InvalidInput: target_id: ")
