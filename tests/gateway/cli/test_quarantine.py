"""The commands about documents that read models have set aside."""

from __future__ import annotations

from docreactor.examples.todo import todo
from tests.gateway.cli.running import say
from tests.gateway.deployment import several_nodes
from tests.gateway.routes.test_generations import set_aside
from tests.gateway.routes.test_quarantine import Picky, fed


async def test_what_is_set_aside_is_listed_tried_again_and_taken_back() -> None:
    picky = Picky()
    async with several_nodes(2, models=[todo, picky], partitions=2) as nodes:
        here, there = (one.node.url for one in nodes)
        empty = await say("quarantine", "list", url=here)
        assert (empty.code, empty.out) == (0, "")
        assert "Nothing is set aside." in empty.err
        await fed(nodes, 3)
        set_aside("d1", nodes)

        shown = await say("quarantine", "list", url=there)
        assert [line.split()[:3] for line in shown.out.splitlines()[1:]] == [
            ["documents", "d1", "HashMismatch:"],
            *(["items", f"d{number}", "ReadModelFailed:"] for number in range(3)),
        ]
        of_one = await say("quarantine", "list", "--model", "documents", "--json", url=there)
        assert [one["document_id"] for one in of_one.json["documents"]] == ["d1"]

        still = await say("quarantine", "retry", "items", "d0", url=there)
        assert still.code == 1
        assert "d0" in still.out
        picky.is_picky = False
        mended = await say("quarantine", "retry", "items", "d0", "--json", url=there)
        assert (mended.code, mended.json["documents"]) == (0, [])
        cleared = await say("quarantine", "clear", "items", "d2", url=here)
        assert cleared.code == 0, cleared.err
        left = await say("quarantine", "list", "--json", url=here)
        assert [(one["model"], one["document_id"]) for one in left.json["documents"]] == [
            ("documents", "d1"),
            ("items", "d1"),
        ]


async def test_a_read_model_that_is_not_there_is_refused_by_name() -> None:
    async with several_nodes(1, partitions=1) as (only,):
        for arguments in (("list", "--model", "nobody"), ("retry", "nobody", "d0")):
            said = await say("quarantine", *arguments, url=only.node.url)
            assert (said.code, said.out) == (1, "")
            assert said.err.startswith("UnknownReadModel: ")
