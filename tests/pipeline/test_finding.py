"""A finding tells its name, its place and a sentence."""

from __future__ import annotations

from docreactor.pipeline.finding import Fault, Finding


def test_a_finding_as_json_carries_all_of_it() -> None:
    finding = Finding(Fault.BROKEN_CHAIN, "d", "global", "main", 7, "previous is wrong")

    assert finding.json == {
        "name": "BrokenChain",
        "document_id": "d",
        "scope": "global",
        "branch": "main",
        "index": 7,
        "detail": "previous is wrong",
    }


def test_every_name_is_told_once() -> None:
    assert len({fault.value for fault in Fault}) == len(Fault)
