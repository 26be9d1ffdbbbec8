"""Ids of repeated requests."""

from __future__ import annotations

from itertools import count

import pytest

from docreactor.gateway.idempotency import ActionIds, check_key, document_id_for
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.ids import check_id


def test_the_same_key_on_the_same_document_gives_the_same_ids() -> None:
    numbers = count()
    first, again = (ActionIds("k", "shop-1", lambda: str(next(numbers))) for _ in range(2))

    assert [first.at("0"), first.at("1")] == [again.at("0"), again.at("1")]
    assert first.at("0") != first.at("1")
    check_id(first.at("0"), field="id")


def test_another_key_or_document_gives_other_ids() -> None:
    ids = {
        ActionIds(key, document_id, str).at("0")
        for key in ("a", "b")
        for document_id in ("shop-1", "shop-2")
    }

    assert len(ids) == 4


def test_without_a_key_every_id_is_a_new_one() -> None:
    numbers = count()
    ids = ActionIds(None, "shop-1", lambda: f"new-{next(numbers)}")

    assert [ids.at("0"), ids.at("0")] == ["new-0", "new-1"]


def test_a_document_without_an_id_gets_one_from_the_key() -> None:
    assert document_id_for("k", str) == document_id_for("k", str) != document_id_for("l", str)
    assert document_id_for(None, lambda: "minted") == "minted"


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_none_or_endless_is_refused(key: str) -> None:
    with pytest.raises(InvalidInputError, match="Idempotency-Key"):
        check_key(key)
