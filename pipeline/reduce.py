"""The pure step: a state and an action give the next state, or an error and the same state."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.bound import Bound, DeadlinePassed
from docreactor.pipeline.canonical import digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document, apply_system
from docreactor.pipeline.errors import (
    DocumentTooLargeError,
    ImpureReducerError,
    InvalidInputError,
    ReactorError,
    ReducerTimeoutError,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.stream_state import StreamState

NOTHING = StreamState(label=-1, version=0, state=None, content=b"", hash="")
"""What a `document` scope shows before its creation."""


def origin(model: DocumentModel, scope: str, document: Document) -> StreamState:
    """What a model's scope shows before its first operation."""
    state = model.initial(document.version, scope, document.initial_state.get(scope))
    content = model.write(document.version, scope, state)
    return StreamState(-1, document.version, state, content, digest(content))


def reduce_document(
    base: StreamState, action_type: str, input: Any, timestamp: str, stream: Stream
) -> StreamState:
    """One system action. Raises the named refusal."""
    document = apply_system(base.state, action_type, input, timestamp, stream)
    content = encode(document.state)
    return StreamState(base.label + 1, document.version, document, content, digest(content))


def reduce(
    model: DocumentModel,
    base: StreamState,
    scope: str,
    action_type: str,
    content: bytes,
    context: Context,
    *,
    document_bytes_max: int,
    bound: Bound,
    check_purity: bool = False,
) -> tuple[StreamState, str | None]:
    """One action of a model, its input as `content`, and the error that goes into its operation.

    UnknownAction and InvalidInput are raised: they say that the action itself is wrong.
    ReducerTimeout is raised too: what takes too long here may be fast enough elsewhere. Whatever
    the reducer raises is an error of the operation.
    """
    rules = model.rules(base.version, scope)
    reducer = model.reducer(rules, scope, action_type)
    write = rules.form.write
    try:
        with bound.deadline:
            state = rules.apply(reducer, base.state, content, context)
            written = write(state)
            if (
                check_purity
                and write(rules.apply(reducer, base.state, content, context)) != written
            ):
                raise ImpureReducerError(action_type)
        if len(written) > document_bytes_max:
            raise DocumentTooLargeError(limit=document_bytes_max, actual=len(written))
    except DeadlinePassed:
        raise ReducerTimeoutError(action_type, bound.timeout_ms) from None
    except (InvalidInputError, MemoryError):
        raise
    except Exception as cause:  # noqa: BLE001  a reducer may raise anything: it becomes the error
        return base._replace(label=base.label + 1), _sentence(cause)
    return StreamState(base.label + 1, base.version, state, written, digest(written)), None


def _sentence(cause: Exception) -> str:
    name = cause.name() if isinstance(cause, ReactorError) else type(cause).__name__
    return f"{name}: {cause}"
