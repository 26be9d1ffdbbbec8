"""What a stream must show, computed the plain way from the words of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docreactor.pipeline.operation import Operation

LASTING = {"CREATE_DOCUMENT", "UPGRADE_DOCUMENT", "NOOP"}


def effective(operations: Sequence[Operation]) -> list[Operation]:
    """What no later skip retracts."""
    standing: list[Operation] = []
    at = len(operations) - 1
    while at >= 0:
        standing.insert(0, operations[at])
        at = operations[at].index - operations[at].skip - 1
    return standing


def live(history: Sequence[Operation]) -> list[Operation]:
    """What counts of an effective history: told forwards, with a list of what was undone."""
    counting: list[Operation] = []
    undone: list[Operation] = []
    for operation in history:
        if operation.error is not None:
            continue
        if operation.action.type == "UNDO":
            newest = max(
                (one for one in counting if one.action.type not in LASTING), key=history.index
            )
            counting.remove(newest)
            undone.append(newest)
        elif operation.action.type == "REDO":
            counting.append(undone.pop())
            counting.sort(key=history.index)
        else:
            counting.append(operation)
    return counting


def words_of(history: Sequence[Operation]) -> dict[str, Any]:
    """The state of the model `words` after an effective history."""
    state: dict[str, Any] = {}
    version = 1
    for operation in live(history):
        word = (operation.action.input or {}).get("word")
        before = list(state.get("words", ()))
        if operation.version > version:
            version, state = operation.version, {"words": [one.upper() for one in before]}
            before = list(state["words"])
        if operation.action.type == "ADD":
            state = {"words": [*before, word]}
        elif operation.action.type == "DROP" and before and before[-1] == word:
            state = {"words": before[:-1]}
    return state


def fails(operation: Operation, before: Sequence[Operation]) -> bool:
    """Whether an operation of the model `words` changes nothing behind this effective history."""
    kind = operation.action.type
    if kind == "DROP":
        words = words_of(before).get("words", [])
        if operation.version > max([one.version for one in live(before)], default=1):
            words = [word.upper() for word in words]
        return not words or words[-1] != operation.action.input["word"]
    if kind not in ("UNDO", "REDO"):
        return False
    undone = [one for one in before if one.error is None and one not in live(before)]
    undone = [one for one in undone if one.action.type not in ("UNDO", "REDO")]
    if kind == "REDO":
        return not undone
    return all(one.action.type in LASTING for one in live(before))


def key(operation: Operation) -> tuple[int, str, str]:
    """Where an operation stands in its stream."""
    rank = 9
    if operation.action.type == "CREATE_DOCUMENT":
        rank = 0
    if operation.action.type == "UPGRADE_DOCUMENT" and operation.action.input["from_version"] == 0:
        rank = 1
    return rank, operation.timestamp, operation.action.id
