"""Jobs as callers ask for them: whatever can be refused without state is refused here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from docreactor.agents.node import Node
from docreactor.gateway.acceptance import check_action, check_models
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.limits import check_count, check_scopes, check_size
from docreactor.gateway.requests import (
    ActionRequest,
    CreateRequest,
    LoadedOperation,
    LoadRequest,
    SubmitRequest,
)
from docreactor.pipeline.action import (
    CREATE_DOCUMENT,
    DELETE_DOCUMENT,
    DOCUMENT_SCOPE,
    REMOVE_RELATIONSHIP,
    UPGRADE_DOCUMENT,
    Action,
)
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import InvalidInputError, InvalidOperationTimestampError
from docreactor.pipeline.ids import check_id, check_name
from docreactor.pipeline.inputs import BASE_INPUTS, NoInput
from docreactor.pipeline.job import Erasure, Incoming, Load, Mutation
from docreactor.pipeline.keys import job_partition
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.timestamp import Microseconds, parse, render


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of one type from one document to `targets`, by the field that named each."""

    source_id: str
    type: str
    targets: Mapping[str, str]
    branch: str
    described: Mapping[str, Any] = field(default_factory=dict[str, Any])


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
        return replace(job, depends_on=self._dependencies(asked.depends_on))

    def submit(
        self, asked: SubmitRequest, document_id: str, ids: ActionIds, known: Document | None
    ) -> Mutation:
        """The actions in their order. `known` is the document as far as this node knows it."""
        scope = check_scopes("actions", [one.scope for one in asked.actions], self._node.settings)
        actions = [self._action(action, index, ids) for index, action in enumerate(asked.actions)]
        job = self._job(document_id, asked.branch, scope, actions, asked.expected_revision)
        job = replace(job, depends_on=self._dependencies(asked.depends_on))
        for action in actions:
            check_action(self._node.registry, action, document_id, known)
        return job

    def load(self, asked: LoadRequest, document_id: str) -> Load:
        """The operations as they came: their stream decides about their inputs."""
        settings = self._node.settings
        scope = check_scopes("operations", [one.action.scope for one in asked.operations], settings)
        if asked.source is not None:
            check_name(asked.source, field="source")
        job = Load(
            id=self._job_id(document_id),
            document_id=document_id,
            branch=check_name(asked.branch, field="branch"),
            scope=scope,
            operations=tuple(_incoming(one, index) for index, one in enumerate(asked.operations)),
            source=asked.source,
            depends_on=self._dependencies(asked.depends_on),
        )
        check_size(job, settings)
        for operation in job.operations:
            check_models(self._node.registry, operation.action)
        return job

    def delete(self, document_id: str, branch: str, ids: ActionIds) -> Mutation:
        """DELETE_DOCUMENT."""
        asked = {"document_id": document_id}
        action = _system(DELETE_DOCUMENT, ids.at("delete"), asked, None)
        return self._job(document_id, branch, DOCUMENT_SCOPE, [action])

    def erase(self, document_id: str) -> Erasure:
        """The job that removes every trace."""
        return Erasure(id=self._job_id(document_id), document_id=document_id)

    def relate(self, action_type: str, edges: Edges, ids: ActionIds) -> Mutation:
        """One relationship action for each target, one job of the source."""
        check_count("ids", len(edges.targets), self._node.settings)
        check_name(edges.type, field="type")
        actions: list[Action] = []
        for place, (given_as, target_id) in enumerate(edges.targets.items()):
            if check_id(target_id, field=given_as) == edges.source_id:
                raise InvalidInputError(given_as, "must be another document than the source")
            given = {
                "source_id": edges.source_id,
                "target_id": target_id,
                "relationship_type": edges.type,
                **edges.described,
            }
            actions.append(_system(action_type, ids.at(str(place)), given, None))
        return self._job(edges.source_id, edges.branch, DOCUMENT_SCOPE, actions)

    def unrelate(
        self, source_id: str, edges: Sequence[tuple[str, str]], branch: str, ids: ActionIds
    ) -> Mutation:
        """One REMOVE_RELATIONSHIP for each edge, a type and a target: one job of the source."""
        actions = [
            _system(
                REMOVE_RELATIONSHIP,
                ids.at(f"{edge_type}/{target_id}"),
                {
                    "source_id": source_id,
                    "target_id": target_id,
                    "relationship_type": edge_type,
                },
                None,
            )
            for edge_type, target_id in edges
        ]
        return self._job(source_id, branch, DOCUMENT_SCOPE, actions)

    def _action(self, asked: ActionRequest, index: int, ids: ActionIds) -> Action:
        field = f"actions.{index}.id"
        moment = None if asked.timestamp is None else self._moment(asked.timestamp)
        is_empty = BASE_INPUTS.get(asked.type) is NoInput
        return Action(
            id=ids.at(str(index)) if asked.id is None else check_id(asked.id, field=field),
            type=asked.type,
            scope=asked.scope,
            timestamp=None if moment is None else render(moment),
            input={} if asked.input is None and is_empty else asked.input,
            context=asked.context,
        )

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
            id=self._job_id(document_id),
            document_id=document_id,
            branch=branch,
            scope=scope,
            actions=tuple(actions),
            expected_revision=expected_revision,
        )
        check_size(job, self._node.settings)
        return job

    def _dependencies(self, job_ids: Sequence[str]) -> tuple[str, ...]:
        """InvalidInput for what can be no job's id: nobody would ever know it."""
        for place, job_id in enumerate(job_ids):
            field = f"depends_on.{place}"
            try:
                partition = job_partition(check_id(job_id, field=field))
            except ValueError:
                partition = -1
            if not 0 <= partition < self._node.partition_count:
                raise InvalidInputError(field, "must be the id of a job")
        return tuple(job_ids)

    def _job_id(self, document_id: str) -> str:
        """A new id, which ends in the partition that the job belongs to."""
        return f"{self._node.mint()}-{self._node.partition_of(document_id)}"


def _incoming(asked: LoadedOperation, index: int) -> Incoming:
    action = asked.action
    return Incoming(
        action=StoredAction(
            id=check_id(action.id, field=f"operations.{index}.action.id"),
            type=action.type,
            scope=action.scope,
            timestamp=render(parse(action.timestamp)),
            input=action.input,
            context=action.context,
        ),
        index=asked.index,
        hash=asked.hash,
        previous=asked.previous,
        version=asked.version,
    )


def _system(action_type: str, action_id: str, asked: Any, timestamp: str | None) -> Action:
    return Action(
        id=action_id, type=action_type, scope=DOCUMENT_SCOPE, timestamp=timestamp, input=asked
    )
