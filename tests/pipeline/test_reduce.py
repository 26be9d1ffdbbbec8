"""The pure step."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from pydantic import BaseModel

from docreactor.pipeline.bound import UNBOUNDED, Bound, DeadlinePassed
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document, Upgraded
from docreactor.pipeline.errors import (
    InvalidInputError,
    ReducerTimeoutError,
    ReducerTooDeepError,
    UnknownActionError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.reduce import NOTHING, origin, reduce, reduce_document
from docreactor.pipeline.state import State
from docreactor.pipeline.stream_state import StreamState

T0 = "2026-11-21T00:00:00.000000Z"


class Count(State):
    total: int = 0
    note: str = ""


class Add(BaseModel):
    amount: int


count = DocumentModel("t/count", state=Count)


@count.action
def add(state: Count, input: Add) -> Count:
    if input.amount == 13:
        raise ValueError("unlucky")
    return state.replace(total=state.total + input.amount)


@count.action
def fill(state: Count, input: Add) -> Count:
    return state.replace(note="x" * input.amount)


@count.action
def sink(state: Count, input: Add) -> Count:
    return sink(state, input)


_calls: list[int] = []


@count.action
def drift(state: Count, input: Add) -> Count:
    _calls.append(1)
    return state.replace(total=len(_calls))


DOCUMENT = Document(
    id="d1",
    document_type="t/count",
    slug="d1",
    name=None,
    branch="main",
    created_at=T0,
    protocol_versions={},
    meta={},
    upgrades=(Upgraded(timestamp=T0, from_version=0, to_version=1),),
)
CONTEXT = Context(T0, "a1", None, DOCUMENT.origin)


def _reduce(
    base: StreamState, action_type: str, input: Any, **options: Any
) -> tuple[StreamState, str | None]:
    given: dict[str, Any] = {"document_bytes_max": 1000, "bound": UNBOUNDED}
    given |= {"document": DOCUMENT, "version": 1} | options
    return reduce(count, base, "global", action_type, encode(input), CONTEXT, **given)


def test_a_step_takes_the_next_label_and_hashes_the_whole_state() -> None:
    state, error = _reduce(origin(count, "global", DOCUMENT), "ADD", {"amount": 2})
    assert error is None
    assert (state.label, state.version) == (0, 1)
    assert state.content == b'{"note":"","total":2}'
    assert state.hash == digest(state.content)


def test_the_same_two_values_always_give_the_same_two_values() -> None:
    base = origin(count, "global", DOCUMENT)
    assert _reduce(base, "ADD", {"amount": 2}) == _reduce(base, "ADD", {"amount": 2})


def test_an_exception_is_the_operations_error_and_leaves_the_state() -> None:
    base, _ = _reduce(origin(count, "global", DOCUMENT), "ADD", {"amount": 2})
    state, error = _reduce(base, "ADD", {"amount": 13})
    assert error == "ValueError: unlucky"
    assert (state.label, state.state, state.hash) == (1, base.state, base.hash)


def test_a_state_over_the_limit_is_an_error_with_its_name() -> None:
    base = origin(count, "global", DOCUMENT)
    state, error = _reduce(base, "FILL", {"amount": 2000})
    assert error is not None
    assert error.startswith("DocumentTooLarge")
    assert state.hash == base.hash


def test_what_is_said_of_the_header_counts_against_the_limit() -> None:
    base = origin(count, "global", DOCUMENT)
    long = {"key": "k", "value": "x" * 600}
    one, error = _reduce(base, "SET_META", long)
    assert error is None
    _, error = _reduce(one, "SET_META", long | {"key": "another"})
    assert error is not None
    assert error.startswith("DocumentTooLarge")


def test_a_reducer_that_answers_twice_differently_is_found() -> None:
    _, error = _reduce(origin(count, "global", DOCUMENT), "DRIFT", {"amount": 1}, check_purity=True)
    assert error is not None
    assert error.startswith("ImpureReducer")


@pytest.mark.parametrize(
    ("action_type", "input", "kind"),
    [("PAINT", {}, UnknownActionError), ("ADD", {"amount": "much"}, InvalidInputError)],
)
def test_an_action_that_is_wrong_in_itself_is_refused(
    action_type: str, input: Any, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        _reduce(origin(count, "global", DOCUMENT), action_type, input)


def test_a_reducer_that_takes_too_long_is_stopped_and_stores_nothing() -> None:
    class Passed(AbstractContextManager[object]):
        def __exit__(self, *_error: object) -> None:
            raise DeadlinePassed

    with pytest.raises(ReducerTimeoutError, match="ADD ran over 7 ms"):
        _reduce(origin(count, "global", DOCUMENT), "ADD", {"amount": 2}, bound=Bound(Passed(), 7))


def test_a_reducer_that_calls_itself_without_end_is_refused_and_stores_nothing() -> None:
    with pytest.raises(ReducerTooDeepError, match="SINK"):
        _reduce(origin(count, "global", DOCUMENT), "SINK", {"amount": 2})


def test_a_scope_starts_from_the_initial_state_that_was_given() -> None:
    first = DOCUMENT.first.model_copy(update={"initial_state": {"global": {"total": 7}}})
    given = DOCUMENT.model_copy(update={"upgrades": (first,)})
    assert origin(count, "global", given).state == Count(total=7)


def test_the_documents_own_scope_is_reduced_by_the_platform() -> None:
    stream = Stream("d1", "document", "main")
    step: Callable[..., StreamState] = reduce_document
    state = step(NOTHING, "CREATE_DOCUMENT", {"model": "t", "document_id": "d1"}, T0, "a1", stream)
    assert (state.label, state.version, state.state.slug) == (0, 0, "d1")
