"""What a node knows of a document that runs on it."""

from __future__ import annotations

import pytest

from docreactor.agents.live import LivePartition
from docreactor.gateway.draft import Drafter
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.known import check_absent, known_document
from docreactor.gateway.requests import CreateRequest
from docreactor.pipeline.errors import DocumentAlreadyExistsError
from docreactor.pipeline.job import Mutation
from tests.gateway.deployment import TODO_TYPE, Running


def live_of(running: Running) -> LivePartition:
    live = running.node.local(running.node.partition_of("shop-1"))
    assert live is not None
    return live


def creation(running: Running, key: str) -> Mutation:
    asked = CreateRequest(document_type=TODO_TYPE)
    ids = ActionIds(key, "shop-1", running.node.mint)
    return Drafter(running.node).create(asked, "shop-1", ids)


async def test_a_document_is_known_as_soon_as_it_is_written(one: Running) -> None:
    assert known_document(live_of(one), "shop-1", "main") is None
    await one.reactor.create(TODO_TYPE, id="shop-1", wait="write")

    known = known_document(live_of(one), "shop-1", "main")
    assert known is not None
    assert (known.id, known.version) == ("shop-1", 1)
    assert known_document(live_of(one), "shop-1", "draft") is None


async def test_a_creation_is_refused_unless_it_is_the_one_that_was_stored(one: Running) -> None:
    check_absent(live_of(one), creation(one, "k"))
    await one.node.submit(creation(one, "k"))
    await one.reactor.rename("shop-1", "a", wait="write")

    check_absent(live_of(one), creation(one, "k"))
    with pytest.raises(DocumentAlreadyExistsError):
        check_absent(live_of(one), creation(one, "l"))
