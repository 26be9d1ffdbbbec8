"""A chain of stored operations is followed link by link, and each break is told once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from docreactor.pipeline.canonical import digest
from docreactor.pipeline.chain import BEGINNING, Link, follow
from docreactor.pipeline.finding import Fault
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction

STREAM = Stream("d", "global", "main")
TIME = "2026-01-02T03:04:05.000006Z"


def operation(index: int, previous: str | None, /, **changed: Any) -> Operation:
    """The operation at an index, right unless it is changed."""
    action = StoredAction(id=f"a{index}", type="ADD", scope="global", timestamp=TIME, input={})
    right: dict[str, Any] = {
        "id": operation_id(*STREAM, action.id),
        "document_type": "test/ledger",
        "index": index,
        "skip": 0,
        "timestamp": TIME,
        "hash": "h",
        "previous": previous,
        "error": None,
        "action": action,
    }
    return Operation(**{**right, **changed})


@dataclass
class Walk:
    """A chain as far as it was followed."""

    link: Link = BEGINNING
    faults: list[Fault] = field(default_factory=list[Fault])

    def step(self, index: int, content: bytes) -> None:
        """Follow one more."""
        self.link, _, findings = follow(self.link, STREAM, index, content)
        assert all(finding.index == index for finding in findings)
        self.faults += [finding.fault for finding in findings]


def test_a_whole_chain_gives_no_finding() -> None:
    walk = Walk()

    for index in range(4):
        walk.step(index, operation(index, walk.link.previous).encode())

    assert walk.faults == []
    assert walk.link.next_index == 4


def test_a_changed_operation_breaks_the_chain_at_its_successor_alone() -> None:
    walk = Walk()
    first, other = operation(0, None).encode(), operation(0, None, hash="g").encode()
    second = operation(1, digest(first)).encode()

    walk.step(0, other)
    walk.step(1, second)
    walk.step(2, operation(2, digest(second)).encode())

    assert walk.faults == [Fault.BROKEN_CHAIN]


def test_a_gap_is_told_once() -> None:
    walk = Walk()
    walk.step(0, operation(0, None).encode())
    third = operation(2, "x").encode()

    walk.step(2, third)
    walk.step(3, operation(3, digest(third)).encode())

    assert walk.faults == [Fault.INDEX_GAP]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"index": 3}, Fault.WRONG_INDEX),
        ({"skip": 1}, Fault.INVALID_SKIP),
        ({"skip": -1}, Fault.INVALID_SKIP),
        ({"id": "0" * 32}, Fault.WRONG_ID),
        ({"previous": "x"}, Fault.BROKEN_CHAIN),
        ({"timestamp": "yesterday"}, Fault.UNDECODABLE),
    ],
)
def test_what_an_operation_says_and_is_not_so_is_found(
    changed: dict[str, Any], fault: Fault
) -> None:
    walk = Walk()

    walk.step(0, operation(0, None, **changed).encode())

    assert walk.faults == [fault]


def test_an_action_of_another_scope_is_found() -> None:
    walk = Walk()
    action = StoredAction(id="a0", type="ADD", scope="local", timestamp=TIME)

    walk.step(0, operation(0, None, action=action).encode())

    assert walk.faults == [Fault.WRONG_SCOPE]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xff", b'{"index":0}'])
def test_bytes_that_are_no_operation_are_found_and_linked_all_the_same(content: bytes) -> None:
    walk = Walk()

    walk.step(0, content)
    walk.step(1, operation(1, digest(content)).encode())

    assert walk.faults == [Fault.UNDECODABLE]


def test_bytes_in_another_form_are_found() -> None:
    walk = Walk()

    walk.step(0, operation(0, None).encode().replace(b'":', b'": '))

    assert Fault.NOT_CANONICAL in walk.faults
