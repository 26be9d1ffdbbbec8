"""What a stored history shows."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from pydantic import BaseModel

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import (
    CorruptHistoryError,
    HashMismatchError,
    UndecodableRecordError,
    UnknownModelError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.reduce import NOTHING, reduce_document
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.state import State
from docreactor.pipeline.stream_state import StreamState

T0 = "2026-11-21T00:00:00.000000Z"
HOME = Stream("d1", "document", "main")
STREAM = Stream("d1", "global", "main")


class Count(State):
    total: int = 0


class Add(BaseModel):
    amount: int


count = DocumentModel("t/count", state=Count)


@count.action
def add(state: Count, input: Add) -> Count:
    return state.replace(total=state.total + input.amount)


def _operation(
    index: int, state_hash: str, error: str | None = None, **action: object
) -> Operation:
    given = {"id": f"a{index}", "type": "ADD", "scope": "global", "input": {"amount": 1}} | action
    return Operation(
        id="0" * 32,
        document_type="t/count",
        index=index,
        skip=0,
        timestamp=T0,
        hash=state_hash,
        previous=None,
        error=error,
        action=StoredAction.decode(encode(given | {"timestamp": T0})),
    )


@pytest.fixture
def replay() -> Replay:
    return Replay(Registry([count]))


@pytest.fixture
def document() -> StreamState:
    given = {"model": "t/count", "document_id": "d1"}
    created = reduce_document(NOTHING, "CREATE_DOCUMENT", given, T0, "a0", HOME)
    versions = {"from_version": 0, "to_version": 1}
    return reduce_document(created, "UPGRADE_DOCUMENT", given | versions, T0, "a0", HOME)


def _next(replay: Replay, base: StreamState, document: Document) -> StreamState:
    """The state after one more ADD, found through the mismatch that a wrong hash gives."""
    wrong = _operation(base.label + 1, "")
    with pytest.raises(HashMismatchError) as mismatch:
        replay.advance(base, wrong, STREAM, document)
    right = replace(wrong, hash=mismatch.value.facts["actual"])
    return replay.advance(base, right, STREAM, document)


def test_a_creation_is_folded_like_any_operation(replay: Replay, document: StreamState) -> None:
    given = {"model": "t/count", "document_id": "d1"}
    state = reduce_document(NOTHING, "CREATE_DOCUMENT", given, T0, "a0", HOME)
    created = _operation(0, state.hash, type="CREATE_DOCUMENT", scope="document", input=given)
    assert replay.advance(replay.origin(HOME, None), created, HOME, None) == state


def test_a_history_folds_into_its_state(replay: Replay, document: StreamState) -> None:
    state = replay.origin(STREAM, document.state)
    for _ in range(3):
        state = _next(replay, state, document.state)
    assert (state.label, state.state) == (2, Count(total=3))


def test_a_recorded_error_is_honoured_and_never_decided_anew(
    replay: Replay, document: StreamState
) -> None:
    base = replay.origin(STREAM, document.state)
    state = replay.advance(
        base, _operation(0, base.hash, error="ValueError: no"), STREAM, document.state
    )
    assert (state.label, state.state) == (0, Count())


def test_a_gap_is_a_corrupt_history(replay: Replay, document: StreamState) -> None:
    base = replay.origin(STREAM, document.state)
    with pytest.raises(CorruptHistoryError, match="expected operation 0, found 1"):
        replay.advance(base, _operation(1, ""), STREAM, document.state)


def test_a_model_that_gives_another_state_is_named(replay: Replay, document: StreamState) -> None:
    base = replay.origin(STREAM, document.state)
    with pytest.raises(HashMismatchError, match="verify --accept"):
        replay.advance(base, _operation(0, "x" * 43), STREAM, document.state)


def test_an_operation_without_a_creation_is_a_corrupt_history(replay: Replay) -> None:
    with pytest.raises(CorruptHistoryError):
        replay.origin(STREAM, None)


def test_a_row_says_what_it_was_made_of(replay: Replay, document: StreamState) -> None:
    state = _next(replay, replay.origin(STREAM, document.state), document.state)
    assert replay.decode(STREAM, replay.encode(STREAM, state, "t/count")) == state
    assert replay.decode(HOME, replay.encode(HOME, document, "t/count")).state == document.state


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row[:-5],
        lambda row: row.replace(b'"total":1', b'"total":2'),
        lambda row: row.replace(b'"total":1', b'"totals":1'),
    ],
)
def test_a_spoiled_row_is_refused(
    replay: Replay, document: StreamState, spoil: Callable[[bytes], bytes]
) -> None:
    state = _next(replay, replay.origin(STREAM, document.state), document.state)
    with pytest.raises(UndecodableRecordError):
        replay.decode(STREAM, spoil(replay.encode(STREAM, state, "t/count")))


@pytest.mark.parametrize(
    ("known", "other"), [(b"t/count", b"t/other"), (b'"version":1', b'"version":9')]
)
def test_a_row_of_a_model_that_is_not_here_is_not_called_spoiled(
    replay: Replay, document: StreamState, known: bytes, other: bytes
) -> None:
    state = _next(replay, replay.origin(STREAM, document.state), document.state)
    row = replay.encode(STREAM, state, "t/count")
    with pytest.raises(UnknownModelError):
        replay.decode(STREAM, row.replace(known, other))
