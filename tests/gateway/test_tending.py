"""What the client asks of those who look after what is stored."""

from __future__ import annotations

from tests.gateway.deployment import one_node


async def test_a_document_is_compared_and_mended() -> None:
    async with one_node() as running:
        await running.create("a b".replace(" ", "~"))

        verdict = await running.reactor.verify("a~b")
        made = await running.reactor.make_keyframes("a~b")

    assert (verdict.documents, verdict.operations, verdict.findings) == (1, 2, [])
    assert (made.documents, made.removed, made.stored) == (1, 0, 0)
