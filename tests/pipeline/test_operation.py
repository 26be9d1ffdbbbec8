"""What is answered."""

from __future__ import annotations

import pytest

from docreactor.pipeline.canonical import decode
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.operation import Operation, StoredAction

T0 = "2026-11-21T00:00:00.000000Z"
OPERATION = Operation(
    id="0" * 32,
    document_type="example/todo",
    index=3,
    skip=0,
    timestamp=T0,
    hash="h",
    previous=None,
    error=None,
    action=StoredAction(id="a1", type="ADD", scope="global", timestamp=T0, input={"b": 1, "a": 2}),
)


def test_an_operation_is_read_back_from_its_stored_bytes() -> None:
    assert Operation.decode(OPERATION.encode()) == OPERATION
    assert Operation.decode(OPERATION.encode()).encode() == OPERATION.encode()


def test_the_stored_bytes_are_canonical() -> None:
    content = OPERATION.encode()

    assert list(decode(content)) == sorted(decode(content))
    assert b'"input":{"a":2,"b":1}' in content


def test_a_stored_action_always_has_its_time() -> None:
    with pytest.raises(UndecodableRecordError, match="missing required field `timestamp`"):
        StoredAction.decode(b'{"id":"a1","type":"ADD","scope":"global"}')
