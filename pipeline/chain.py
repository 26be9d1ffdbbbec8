"""What every stored operation owes to the one before it: its index, its link, its own names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from docreactor.pipeline.canonical import decode, digest, encode
from docreactor.pipeline.errors import InvalidOperationTimestampError, UndecodableRecordError
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.ids import operation_id
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.timestamp import parse


class Link(NamedTuple):
    """Where a stream's chain stands: the next index, and the digest of the bytes before it."""

    next_index: int
    previous: str | None


BEGINNING = Link(0, None)
"""Where a stream without operations stands."""


def follow(
    link: Link, stream: Stream, index: int, content: bytes
) -> tuple[Link, Operation | None, list[Finding]]:
    """The link after an operation's stored bytes, the operation, and all that is wrong with it.

    Whatever is wrong is told once: the chain goes on from what is stored.
    """
    findings: list[Finding] = []

    def found(fault: Fault, detail: str) -> None:
        findings.append(Finding(fault, *stream, index, detail))

    if index != link.next_index:
        found(Fault.INDEX_GAP, f"expected operation {link.next_index}")
    after = Link(index + 1, digest(content))
    try:
        operation = Operation.decode(content)
        parse(operation.timestamp)
        canonical = encode(decode(content))
    except (UndecodableRecordError, InvalidOperationTimestampError, TypeError, ValueError) as cause:
        found(Fault.UNDECODABLE, str(cause))
        return after, None, findings
    if canonical != content:
        found(Fault.NOT_CANONICAL, "its bytes are not canonical JSON")
    for fault, detail in _own(stream, index, operation):
        found(fault, detail)
    # After a gap nobody can tell what the link must be.
    if index == link.next_index and operation.previous != link.previous:
        found(Fault.BROKEN_CHAIN, f"previous is {operation.previous}, not {link.previous}")
    return after, operation, findings


def _own(stream: Stream, index: int, operation: Operation) -> Iterator[tuple[Fault, str]]:
    """What an operation says of itself and is not so."""
    if operation.index != index:
        yield Fault.WRONG_INDEX, f"it says index {operation.index}"
    if operation.action.scope != stream.scope:
        yield Fault.WRONG_SCOPE, f"its action is of scope {operation.action.scope}"
    if operation.id != operation_id(*stream, operation.action.id):
        yield Fault.WRONG_ID, f"{operation.id} is not the id of action {operation.action.id}"
    if not 0 <= operation.skip <= index:
        yield Fault.INVALID_SKIP, f"it skips {operation.skip}"
