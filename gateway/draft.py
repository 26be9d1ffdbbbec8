"""Mutations as callers ask for them: whatever can be refused without state is refused here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from docreactor.agents.node import Node
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.requests import ActionRequest, CreateRequest, SubmitRequest
from docreactor.pipeline.action import (
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    DOCUMENT_SCOPE,
    SYSTEM_ACTIONS,
    UPGRADE_DOCUMENT,
    Action,
)
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.document import CreateInput, DeleteInput, Document, UpgradeInput
from docreactor.pipeline.errors import (
    InvalidInputError,
    InvalidOperationTimestampError,
    TooLargeError,
    UnknownActionError,
)
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.record import Record
from docreactor.pipeline.state import first_complaint
from docreactor.pipeline.timestamp import Microseconds, parse, render

_Asked = TypeVar("_Asked", bound=Record)
_SYSTEM_INPUTS: dict[str, type[Record]] = {
    CREATE_DOCUMENT: CreateInput,
    UPGRADE_DOCUMENT: UpgradeInput,
    DELETE_DOCUMENT: DeleteInput,
}
# What stores and shows an action nests it this much deeper than its caller did, at most.
_LEVELS_AROUND = 24


class Drafter:
    """Makes jobs for `actions` out of requests; knows the models, the limits and the time."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def create(self, asked: CreateRequest, document_id: str, ids: ActionIds) -> Mutation:
        """CREATE_DOCUMENT and UPGRADE_DOCUMENT to the model's newest version."""
        model = self._node.registry.model(asked.document_type)
        initial_state = asked.initial_state or {}
        created_at, upgraded_at = self._moments(asked.timestamp)
        create: dict[str, Any] = {
            "model": asked.document_type,
            "document_id": document_id,
            "version": 0,
            "branch": asked.branch,
            "meta": asked.meta or {},
        }
        create |= {"slug": asked.slug} if asked.slug else {}
        create |= {"name": asked.name} if asked.name is not None else {}
        upgrade: dict[str, Any] = {
            "model": asked.document_type,
            "document_id": document_id,
            "from_version": 0,
            "to_version": model.version,
        }
        upgrade |= {"initial_state": initial_state} if initial_state else {}
        actions = [
            _system(CREATE_DOCUMENT, ids.at("create"), create, created_at),
            _system(UPGRADE_DOCUMENT, ids.at("upgrade"), upgrade, upgraded_at),
        ]
        job = self._job(document_id, asked.branch, DOCUMENT_SCOPE, actions)
        for scope, state in initial_state.items():
            check_name(scope, field="initial_state")
            if scope == DOCUMENT_SCOPE:
                raise InvalidInputError("initial_state.document", "belongs to the platform")
            model.initial(model.version, scope, state)
        return job

    def submit(
        self, asked: SubmitRequest, document_id: str, ids: ActionIds, known: Document | None
    ) -> Mutation:
        """The actions in their order. `known` is the document as far as this node knows it."""
        count, limit = len(asked.actions), self._node.settings.job_actions_max
        if not count:
            raise InvalidInputError("actions", "must hold at least one action")
        if count > limit:
            raise TooLargeError("number of actions in one job", limit=limit, actual=count)
        scope = asked.actions[0].scope
        check_name(scope, field="actions.0.scope")
        if any(action.scope != scope for action in asked.actions):
            scopes = ", ".join(sorted({action.scope for action in asked.actions}))
            raise InvalidInputError("actions", f"must all be of one scope, and are of {scopes}")
        actions = [self._action(action, index, ids) for index, action in enumerate(asked.actions)]
        job = self._job(document_id, asked.branch, scope, actions, asked.expected_revision)
        for action in actions:
            self._check_input(action, known)
        return job

    def delete(self, document_id: str, branch: str, ids: ActionIds) -> Mutation:
        """DELETE_DOCUMENT."""
        asked = {"document_id": document_id}
        action = _system(DELETE_DOCUMENT, ids.at("delete"), asked, None)
        return self._job(document_id, branch, DOCUMENT_SCOPE, [action])

    def _action(self, asked: ActionRequest, index: int, ids: ActionIds) -> Action:
        field = f"actions.{index}.id"
        moment = None if asked.timestamp is None else self._moment(asked.timestamp)
        return Action(
            id=ids.at(str(index)) if asked.id is None else check_id(asked.id, field=field),
            type=asked.type,
            scope=asked.scope,
            timestamp=None if moment is None else render(moment),
            input=asked.input,
            context=asked.context,
        )

    def _check_input(self, action: Action, known: Document | None) -> None:
        """UnknownAction or InvalidInput, as far as that can be seen without the document."""
        if action.scope == DOCUMENT_SCOPE:
            self._check_system(action, known)
        elif action.type in SYSTEM_ACTIONS:
            raise UnknownActionError(_type_of(known), action.type, action.scope)
        elif known is not None:
            model = self._node.registry.model(known.document_type)
            version = known.version or model.version
            model.check(version, action.scope, action.type, action.input)

    def _check_system(self, asked: Action, known: Document | None) -> None:
        expected = _SYSTEM_INPUTS.get(asked.type)
        if expected is None:
            raise UnknownActionError(_type_of(known), asked.type, asked.scope)
        given = validated(expected, asked.input)
        if isinstance(given, CreateInput):
            self._node.registry.model(given.model)

    def _moments(self, timestamp: str | None) -> tuple[str | None, str | None]:
        """When the document begins, and the next instant, at which it gets its version."""
        if timestamp is None:
            return None, None
        moment = self._moment(timestamp)
        return render(moment), render(Microseconds(moment + 1))

    def _moment(self, timestamp: str) -> Microseconds:
        moment = parse(timestamp)
        ahead_max_ms = self._node.settings.clock_skew_max_ms
        if moment > self._node.now_us() + ahead_max_ms * 1_000:
            raise InvalidOperationTimestampError(timestamp, f"is over {ahead_max_ms} ms ahead")
        return moment

    def _job(
        self,
        document_id: str,
        branch: str,
        scope: str,
        actions: Sequence[Action],
        expected_revision: int | None = None,
    ) -> Mutation:
        check_name(branch, field="branch")
        job = Mutation(
            id=f"{self._node.mint()}-{self._node.partition_of(document_id)}",
            document_id=document_id,
            branch=branch,
            scope=scope,
            actions=tuple(actions),
            expected_revision=expected_revision,
        )
        self._check_size(job)
        return job

    def _check_size(self, job: Mutation) -> None:
        settings = self._node.settings
        size = _size(job)
        # An action is smaller than its job: most jobs are measured once.
        if size > settings.action_bytes_max:
            for index, action in enumerate(job.actions):
                if action.size > settings.action_bytes_max:
                    raise TooLargeError(
                        f"actions.{index} in bytes",
                        limit=settings.action_bytes_max,
                        actual=action.size,
                    )
        if size > settings.job_bytes_max:
            raise TooLargeError("job in bytes", limit=settings.job_bytes_max, actual=size)


def validated(kind: type[_Asked], value: Any) -> _Asked:
    """The value as a record of this kind, or InvalidInput naming the field."""
    try:
        return kind.model_validate(value)
    except ValidationError as cause:
        field, reason = first_complaint(cause)
        raise InvalidInputError(field or "input", reason) from cause


def _size(job: Mutation) -> int:
    around: Any = job.json
    for _ in range(_LEVELS_AROUND):
        around = [around]
    try:
        return len(encode(around)) - 2 * _LEVELS_AROUND
    except TypeError as cause:
        raise InvalidInputError("actions", f"cannot be stored as JSON: {cause}") from cause


def _system(action_type: str, action_id: str, asked: Any, timestamp: str | None) -> Action:
    return Action(
        id=action_id, type=action_type, scope=DOCUMENT_SCOPE, timestamp=timestamp, input=asked
    )


def _type_of(known: Document | None) -> str:
    return "the platform" if known is None else known.document_type
