"""How much one job may ask for: looked at before anything is appended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.errors import InvalidInputError, TooLargeError
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.job import Load, Mutation
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.settings import Settings

# What stores and shows an action nests it this much deeper than its caller did, at most.
_LEVELS_AROUND = 24


def check_count(field: str, count: int, settings: Settings) -> None:
    """InvalidInput for none, TooLarge for more than one job may bring."""
    if not count:
        raise InvalidInputError(field, f"must hold at least one {field.removesuffix('s')}")
    if count > settings.job_actions_max:
        what = f"number of {field} in one job"
        raise TooLargeError(what, limit=settings.job_actions_max, actual=count)


def check_scopes(field: str, scopes: Sequence[str], settings: Settings) -> str:
    """The one scope of all that a job brings; none, too many or several are refused."""
    check_count(field, len(scopes), settings)
    scope = check_name(scopes[0], field=f"{field}.0.scope")
    if any(other != scope for other in scopes):
        several = ", ".join(sorted(set(scopes)))
        raise InvalidInputError(field, f"must all be of one scope, and are of {several}")
    return scope


def check_size(job: Mutation | Load, settings: Settings) -> None:
    """TooLarge naming the limit, or InvalidInput for what is no JSON."""
    field, actions = _actions(job)
    size = _size(job, field)
    # An action is smaller than its job: most jobs are measured once.
    if size > settings.action_bytes_max:
        for index, action in enumerate(actions):
            own = len(encode(action.json))
            if own > settings.action_bytes_max:
                what = f"{field}.{index} in bytes"
                raise TooLargeError(what, limit=settings.action_bytes_max, actual=own)
    if size > settings.job_bytes_max:
        raise TooLargeError("job in bytes", limit=settings.job_bytes_max, actual=size)


def _actions(job: Mutation | Load) -> tuple[str, Sequence[Action | StoredAction]]:
    if isinstance(job, Mutation):
        return "actions", job.actions
    return "operations", [operation.action for operation in job.operations]


def _size(job: Mutation | Load, field: str) -> int:
    around: Any = job.json
    for _ in range(_LEVELS_AROUND):
        around = [around]
    try:
        return len(encode(around)) - 2 * _LEVELS_AROUND
    except TypeError as cause:
        raise InvalidInputError(field, f"cannot be stored as JSON: {cause}") from cause
