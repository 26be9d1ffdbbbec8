"""The pure step: a state and an action give the next state, or an error and the same state."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.action import LOAD_STATE, SET_META, SET_NAME, SET_SLUG
from docreactor.pipeline.bound import Bound, DeadlinePassed
from docreactor.pipeline.canonical import decode, digest, encode
from docreactor.pipeline.context import Context
from docreactor.pipeline.document import Document, apply_system
from docreactor.pipeline.errors import (
    DocumentTooLargeError,
    ImpureReducerError,
    InvalidInputError,
    ReactorError,
    ReducerTimeoutError,
    ReducerTooDeepError,
    UnknownActionError,
    UnknownModelError,
    UnsupportedActionError,
)
from docreactor.pipeline.header import NAME, SLUG, Fact, Facts, meta_field, write_facts
from docreactor.pipeline.inputs import (
    BASE_INPUTS,
    LoadStateInput,
    MetaInput,
    NameInput,
    SlugInput,
    check_base,
    read_input,
)
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.stream_state import StreamState

WRONG_ACTION = (InvalidInputError, UnknownActionError, UnsupportedActionError)
"""What an action is refused for that no state could cure; a load stores it as the error."""

NOTHING = StreamState(label=-1, version=0, state=None, content=b"", hash="")
"""What a `document` scope shows before its creation."""


def origin(model: DocumentModel, scope: str, document: Document) -> StreamState:
    """What a model's scope shows before its first operation."""
    first = document.first
    state = model.initial(first.to_version, scope, first.initial_state.get(scope))
    content = model.write(first.to_version, scope, state)
    return StreamState(-1, first.to_version, state, content, digest(content))


def migrated(
    model: DocumentModel, base: StreamState, scope: str, document: Document, version: int
) -> StreamState:
    """The state as a later version has it: every transition in order, and what upgrades set.

    Raises what a transition raises; UnknownModel for a version that is not here.
    """
    state, reached = base.state, base.version
    for upgrade in document.upgrades:
        if reached < upgrade.to_version <= version:
            state = model.migrate(reached, upgrade.to_version, scope, state)
            reached = upgrade.to_version
            if upgrade.from_version and scope in upgrade.initial_state:
                state = model.initial(reached, scope, upgrade.initial_state[scope])
    state = model.migrate(reached, version, scope, state)
    content = model.write(version, scope, state)
    return StreamState(base.label, version, state, content, digest(content), base.facts)


def reduce_document(
    base: StreamState, action_type: str, input: Any, timestamp: str, action_id: str, stream: Stream
) -> StreamState:
    """One action of scope `document`. Raises the named refusal."""
    label = base.label + 1
    known: Document | None = base.state
    if known is not None and action_type in BASE_INPUTS:
        check_base(known.document_type, stream.scope, action_type, input)
        facts = _told(base.facts, action_type, input, timestamp, action_id)
        return base._replace(label=label, facts=facts)
    document = apply_system(known, action_type, input, timestamp, stream)
    content = encode(document.state)
    return StreamState(label, document.version, document, content, digest(content), base.facts)


def reduce(
    model: DocumentModel,
    base: StreamState,
    scope: str,
    action_type: str,
    content: bytes,
    context: Context,
    *,
    document: Document,
    version: int,
    document_bytes_max: int,
    bound: Bound,
    check_purity: bool = False,
) -> tuple[StreamState, str | None]:
    """One action in another scope, its input as `content`, and the error of its operation.

    It is decided under `version`. What is wrong with the action itself is raised (WRONG_ACTION),
    UnknownModel for a version that is not here, ReducerTimeout and ReducerTooDeep: what is too much
    here may do elsewhere. Whatever else goes wrong is an error of the operation.
    """
    label = base.label + 1
    state: Any
    try:
        with bound.deadline:
            before = base
            if base.version < version:
                before = migrated(model, base, scope, document, version)
            rules = model.rules(before.version, scope)
            facts, write = before.facts, rules.form.write
            reducer = rules.reducers.get(action_type)
            if reducer is not None:
                state = rules.apply(reducer, before.state, content, context)
                written = write(state)
                if check_purity:
                    again = rules.apply(reducer, before.state, content, context)
                    _check_alike(written, write(again), action_type)
            else:
                input = decode(content)
                check_base(model.document_type, scope, action_type, input)
                facts = _told(facts, action_type, input, context.timestamp, context.id)
                state, written = _loaded(model, scope, action_type, input, before)
        _check_size(written, facts, document_bytes_max)
    except (DeadlinePassed, RecursionError) as cause:
        raise _too_much(cause, action_type, bound) from None
    except (*WRONG_ACTION, UnknownModelError, MemoryError, KeyboardInterrupt):
        raise
    except BaseException as cause:  # noqa: BLE001  whatever a reducer raises is the error
        return base._replace(label=label), sentence(cause)
    return StreamState(label, before.version, state, written, digest(written), facts), None


def _too_much(cause: BaseException, action_type: str, bound: Bound) -> ReactorError:
    if isinstance(cause, DeadlinePassed):
        return ReducerTimeoutError(action_type, bound.timeout_ms)
    return ReducerTooDeepError(action_type)


def _check_size(written: bytes, facts: Facts, limit: int) -> None:
    size = len(written) + (len(encode(write_facts(facts))) if facts else 0)
    if size > limit:
        raise DocumentTooLargeError(limit=limit, actual=size)


def _check_alike(once: bytes, twice: bytes, action_type: str) -> None:
    if once != twice:
        raise ImpureReducerError(action_type)


def _loaded(
    model: DocumentModel, scope: str, action_type: str, input: Any, before: StreamState
) -> tuple[Any, bytes]:
    """The state after an action that every model has: as it was, unless a state is given."""
    if action_type != LOAD_STATE:
        return before.state, before.content
    state = model.load_state(before.version, scope, input["state"])
    return state, model.write(before.version, scope, state)


def sentence(cause: BaseException) -> str:
    """What an operation's `error` says: the name and the reason, the same on every replica."""
    name = cause.name() if isinstance(cause, ReactorError) else type(cause).__name__
    try:
        reason = str(cause)
    except Exception:  # noqa: BLE001  an author's exception may be unable to say anything
        reason = ""
    # Lone surrogates are no text that JSON could hold.
    return f"{name}: {reason}".encode(errors="backslashreplace").decode()


def _told(facts: Facts, action_type: str, input: Any, timestamp: str, action_id: str) -> Facts:
    """What the stream says of the header after the action."""
    if action_type == SET_NAME:
        field, value = NAME, read_input(NameInput, input).name
    elif action_type == SET_SLUG:
        field, value = SLUG, read_input(SlugInput, input).slug
    elif action_type == SET_META:
        given = read_input(MetaInput, input)
        field, value = meta_field(given.key), given.value
    elif action_type == LOAD_STATE and input.get("name") is not None:
        field, value = NAME, read_input(LoadStateInput, input).name
    else:
        return facts
    return {**facts, field: Fact(timestamp, action_id, value)}
