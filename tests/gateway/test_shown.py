"""Documents as HTTP answers them."""

from __future__ import annotations

import orjson
import pytest

from docreactor.agents.live import LivePartition
from docreactor.gateway.shown import At, Excerpt, shown, shown_at, shown_now
from docreactor.pipeline.errors import (
    DocumentNotFoundError,
    HashMismatchError,
    InvalidInputError,
    RevisionNotFoundError,
)
from docreactor.pipeline.problem import problem
from tests.gateway.deployment import Running


def live_of(one: Running, document_id: str) -> LivePartition:
    live = one.node.local(one.node.partition_of(document_id))
    assert live is not None
    return live


def test_an_index_of_a_scope_is_read_from_its_text() -> None:
    assert At.parse("global:3") == At("global", 3)
    for text in ("", "3", "global:", "global:-3", "global:٣", "a b:3"):
        with pytest.raises(InvalidInputError):
            At.parse(text)


async def test_what_the_view_does_not_show_is_nothing(one: Running) -> None:
    live = live_of(one, "shop-1")

    assert shown(live, "shop-1", Excerpt()) is None
    with pytest.raises(DocumentNotFoundError):
        shown_now(live, "shop-1", Excerpt())


async def test_a_document_set_aside_is_refused_with_the_reason(one: Running) -> None:
    await one.create("shop-1")
    live = live_of(one, "shop-1")
    reason = HashMismatchError("shop-1", key="k", expected="a", actual="b")
    stage = live.documents.stage()
    stage.quarantine("shop-1", problem(reason))
    live.documents.store.write(stage.rows(), {}, now_ms=0)

    with pytest.raises(HashMismatchError):
        shown_now(live, "shop-1", Excerpt())


async def test_a_state_at_an_index_comes_with_the_time_of_its_operation(one: Running) -> None:
    await one.create("shop-1")
    await one.add("shop-1", "Milk", "Bread")
    live = live_of(one, "shop-1")

    item = await shown_at(live, "shop-1", Excerpt(), At("global", 0))
    document = await shown_at(live, "shop-1", Excerpt(), At("document", 1))

    state = orjson.loads(orjson.dumps(item["state"]))
    assert state == {"global": {"items": ["Milk"], "completed": []}}
    operations = await one.reactor.history("shop-1")
    assert item["header"]["last_modified_at"] == operations.operations[0].timestamp
    assert orjson.loads(orjson.dumps(document["state"]))["document"]["version"] == 1
    with pytest.raises(RevisionNotFoundError):
        await shown_at(live, "shop-1", Excerpt(), At("local", 0))
