"""What a mutation demands of its stream before it changes anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from docreactor.agents.staging import StreamStage
from docreactor.pipeline.action import DOCUMENT_SCOPE, Action
from docreactor.pipeline.document import FIRST_VERSION, Document
from docreactor.pipeline.errors import (
    InvalidInputError,
    RevisionMismatchError,
    UpgradePreconditionFailedError,
)
from docreactor.pipeline.inputs import UpgradeInput, read_input
from docreactor.pipeline.job import Mutation

PREV_OP_INDEX = "prev_op_index"
PREV_OP_HASH = "prev_op_hash"
INDEX_MAX = 2**53
"""Far beyond any stream's, and a number that every reader of JSON can hold."""


def check_revision(job: Mutation, stage: StreamStage) -> None:
    """RevisionMismatch unless the job's `expected_revision` is the stream's next index."""
    expected, revision = job.expected_revision, stage.head.next_index
    if expected is not None and expected != revision:
        raise RevisionMismatchError(expected=expected, actual=revision)


def check_context(context: Mapping[str, Any], stage: StreamStage) -> None:
    """RevisionMismatch unless the newest operation has the index and the hash asked for.

    A stream without operations has the index -1 and the hash "".
    """
    index, hashed = context.get(PREV_OP_INDEX), context.get(PREV_OP_HASH)
    revision = stage.head.next_index
    if index is not None:
        if type(index) is not int or not -1 <= index < INDEX_MAX:
            raise InvalidInputError(f"context.{PREV_OP_INDEX}", "must be an index")
        if index + 1 != revision:
            raise RevisionMismatchError(expected=index + 1, actual=revision)
    actual_hash = stage.state.hash if stage.state is not None and revision else ""
    if hashed is not None and hashed != actual_hash:
        raise RevisionMismatchError(
            expected=revision if index is None else index + 1,
            actual=revision,
            expected_hash=str(hashed),
            actual_hash=actual_hash,
        )


def is_same(action: Action, document: Document | None) -> bool:
    """Whether an upgrade is one to the version that the document has."""
    given = read_input(UpgradeInput, action.input)
    version = FIRST_VERSION if document is None else document.version or FIRST_VERSION
    return given.from_version == given.to_version == version


def check_upgrade(action: Action, stage: StreamStage, siblings: Iterable[StreamStage]) -> None:
    """UpgradePreconditionFailed unless the scopes stand where the upgrade was made for."""
    given = read_input(UpgradeInput, action.input)
    if given.revision is None:
        return
    actual = {one.stream.scope: one.head.next_index for one in siblings}
    actual[DOCUMENT_SCOPE] = stage.head.next_index
    for scope in sorted({*actual, *given.revision}):
        wanted, found = given.revision.get(scope, 0), actual.get(scope, 0)
        if wanted != found:
            raise UpgradePreconditionFailedError(
                stage.stream.document_id,
                what=f"the revision of scope {scope}",
                expected=wanted,
                actual=found,
            )
