"""Documents as HTTP answers them."""

from __future__ import annotations

import orjson
import pytest

from docreactor.agents.live import LivePartition
from docreactor.gateway.read_queries import ShownQuery
from docreactor.gateway.shown import At, Excerpt, shown, shown_at, shown_now
from docreactor.pipeline.errors import (
    DocumentDeletedError,
    DocumentNotFoundError,
    HashMismatchError,
    InvalidInputError,
    RevisionNotFoundError,
)
from docreactor.pipeline.problem import problem
from docreactor.tables.criteria import Life
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


async def test_a_document_set_aside_is_shown_with_the_reason_where_several_are(
    one: Running,
) -> None:
    await one.create("shop-1")
    live = live_of(one, "shop-1")
    assert "problem" not in (shown(live, "shop-1", Excerpt()) or {})
    reason = HashMismatchError("shop-1", key="k", expected="a", actual="b")
    stage = live.documents.stage()
    stage.quarantine("shop-1", problem(reason))
    stage.quarantine("never-shown", problem(reason))
    live.documents.store.write(stage.rows(), {}, now_ms=0)

    item = shown(live, "shop-1", Excerpt())
    assert item is not None
    assert item["problem"] == problem(reason)
    with pytest.raises(HashMismatchError):
        shown_now(live, "never-shown", Excerpt())


async def test_a_deleted_document_is_shown_to_whom_it_is_meant(one: Running) -> None:
    await one.create("shop-1")
    await one.create("shop-2")
    await one.http.delete("/v1/documents/shop-1", params={"wait": "read"})
    lives = {life: Excerpt(life=life) for life in Life}

    gone, there = live_of(one, "shop-1"), live_of(one, "shop-2")
    assert [shown(gone, "shop-1", lives[life]) is not None for life in Life] == [False, True, True]
    assert [shown(there, "shop-2", lives[life]) is not None for life in Life] == [True, False, True]
    with pytest.raises(DocumentDeletedError):
        shown_now(gone, "shop-1", Excerpt())
    assert shown_now(gone, "shop-1", lives[Life.EITHER])["header"]["is_deleted"]


async def test_a_header_alone_is_that_of_the_whole(one: Running) -> None:
    await one.create("shop-1", name="Groceries")
    live = live_of(one, "shop-1")

    whole, alone = (shown_now(live, "shop-1", Excerpt(is_header_only=one)) for one in (False, True))
    assert alone == whole | {"state": {}}


async def test_the_header_at_an_index_says_what_its_scope_had_said_by_then(one: Running) -> None:
    await one.create("shop-1", name="first")
    for name in ("second", "third"):
        await one.reactor.rename("shop-1", name, wait="read")
    live = live_of(one, "shop-1")
    names = [
        (await shown_at(live, "shop-1", Excerpt(), At("global", index)))["header"]["name"]
        for index in (0, 1)
    ]

    assert names == ["second", "third"]


def test_an_excerpt_is_asked_of_another_node_as_it_was_asked_here() -> None:
    asked = ShownQuery.model_validate({"scopes": ["local,global"], "branch": "draft"})
    excerpt = Excerpt.of(asked, Life.EITHER)

    assert excerpt == Excerpt("draft", ("local", "global"), life=Life.EITHER)
    assert excerpt.parameters == [
        ("branch", "draft"),
        ("scopes", "local"),
        ("scopes", "global"),
        ("include_deleted", "true"),
    ]
    header = Excerpt.of(ShownQuery.model_validate({"header_only": "true"}), Life.DELETED)
    assert header.parameters == [
        ("branch", "main"),
        ("header_only", "true"),
        ("deleted", "true"),
    ]
