"""What a call is about."""

from __future__ import annotations

from typing import Any

from docreactor.gateway.facts import add_facts, begin_facts, request_id_of


def test_facts_are_collected_along_the_way() -> None:
    scope: dict[str, Any] = {"type": "http"}
    facts = begin_facts(scope, "call-1")
    add_facts(scope, document="a")
    add_facts(scope, job="j-1")

    assert facts == {"request_id": "call-1", "document": "a", "job": "j-1"}
    assert request_id_of(scope) == "call-1"


def test_a_call_that_nobody_logs_has_no_facts() -> None:
    scope: dict[str, Any] = {"type": "http"}
    add_facts(scope, document="a")

    assert request_id_of(scope) == ""
