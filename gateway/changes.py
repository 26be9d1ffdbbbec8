"""The calls of the Python client that change documents: each is one job."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack
from urllib.parse import quote

from docreactor.gateway.answers import Job, Operation
from docreactor.gateway.connection import Connection
from docreactor.gateway.requests import (
    DEFAULT_SCOPE,
    TIMEOUT_DEFAULT_MS,
    ActionRequest,
    LoadedOperation,
)
from docreactor.pipeline.action import (
    REDO,
    SET_NAME,
    UNDO,
)
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.inputs import DEFAULT_BRANCH

Until = Literal["write", "read"]
Wait = Literal["none", "write", "read"]
"""What a change waits for: None is `none` for a reactor, and what a session was opened with."""

ActionLike = ActionRequest | Mapping[str, Any]
OperationLike = Operation | LoadedOperation | Mapping[str, Any]


class Sending(TypedDict, total=False):
    """How a change is sent: to which branch, how long to wait for what, under which key."""

    branch: str
    wait: Wait | None
    timeout_ms: int
    idempotency_key: str | None


class Changes:
    """What changes documents. With `wait`, a failure is raised and the job has got there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._minter = IdMinter(lambda: time.time_ns() // 1_000_000, secrets.randbits)

    async def create(
        self,
        document_type: str,
        *,
        id: str | None = None,
        slug: str | None = None,
        name: str | None = None,
        branch: str = DEFAULT_BRANCH,
        timestamp: str | None = None,
        initial_state: Mapping[str, Any] | None = None,
        meta: Mapping[str, Any] | None = None,
        parent: str | None = None,
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Job:
        """Create a document, with `parent` as that one's child.

        With `wait`, a failure is raised and the job has got there.
        """
        given = {
            "document_type": document_type,
            "id": id,
            "slug": slug,
            "name": name,
            "branch": branch,
            "timestamp": timestamp,
            "initial_state": initial_state,
            "meta": meta,
            "parent": parent,
        }
        return await self._connection.call(
            Job,
            "POST",
            "/v1/documents",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            body={field: value for field, value in given.items() if value is not None},
            key=idempotency_key or self._minter.mint(),
        )

    async def submit(
        self,
        document_id: str,
        actions: ActionLike | Sequence[ActionLike],
        *,
        branch: str = DEFAULT_BRANCH,
        expected_revision: int | None = None,
        depends_on: Sequence[str] = (),
        wait: Wait | None = None,
        timeout_ms: int = TIMEOUT_DEFAULT_MS,
        idempotency_key: str | None = None,
    ) -> Job:
        """Submit actions of one scope: all of them or none.

        They run when the jobs of `depends_on`, by their ids, have ended. Those without an id are
        given one here, unless the request has a key of the caller's: the server then derives them
        from it.
        """
        if isinstance(actions, ActionRequest | Mapping):
            actions = [actions]
        asked = [_fields(action) for action in actions]
        if idempotency_key is None:
            asked = [{"id": self._minter.mint(), **action} for action in asked]
        body: dict[str, Any] = {"actions": asked, "branch": branch}
        if expected_revision is not None:
            body["expected_revision"] = expected_revision
        if depends_on:
            body["depends_on"] = list(depends_on)
        return await self._connection.call(
            Job,
            "POST",
            f"/v1/documents/{segment(document_id)}/actions",
            parameters={"wait": wait, "timeout_ms": timeout_ms},
            body=body,
            key=idempotency_key or self._minter.mint(),
        )

    async def load(
        self,
        document_id: str,
        operations: Sequence[OperationLike],
        *,
        source: str | None = None,
        **sending: Unpack[Sending],
    ) -> Job:
        """Load operations of one scope from elsewhere, as `history` gave them there.

        Each finds its place by time; those that are known already are dropped. `source` names
        where they came from.
        """
        body: dict[str, Any] = {"operations": [_operation(one) for one in operations]}
        body |= {} if source is None else {"source": source}
        return await self._change("POST", document_id, "operations", body, sending)

    async def undo(
        self, document_id: str, *, scope: str = DEFAULT_SCOPE, **sending: Unpack[Sending]
    ) -> Job:
        """Undo the scope's newest operation that is not undone yet; NothingToUndo without one."""
        return await self._act(document_id, UNDO, {}, scope, sending)

    async def redo(
        self, document_id: str, *, scope: str = DEFAULT_SCOPE, **sending: Unpack[Sending]
    ) -> Job:
        """Take back the scope's newest undo; NothingToRedo without one."""
        return await self._act(document_id, REDO, {}, scope, sending)

    async def rename(
        self,
        document_id: str,
        name: str | None,
        *,
        scope: str = DEFAULT_SCOPE,
        **sending: Unpack[Sending],
    ) -> Job:
        """Give a document another name for people, or none."""
        return await self._act(document_id, SET_NAME, {"name": name}, scope, sending)

    async def relate(
        self,
        document_id: str,
        target_id: str,
        type: str,
        *,
        metadata: Any = None,
        weight: float | None = None,
        **sending: Unpack[Sending],
    ) -> Job:
        """Add an edge of this type from the document to another, which need not exist."""
        body = _edge(target_id, type, metadata, weight)
        return await self._change("POST", document_id, "relationships", body, sending)

    async def update_relationship(
        self,
        document_id: str,
        target_id: str,
        type: str,
        *,
        metadata: Any = None,
        weight: float | None = None,
        **sending: Unpack[Sending],
    ) -> Job:
        """Replace what is known about an edge; None clears it."""
        body = _edge(target_id, type, metadata, weight)
        return await self._change("PATCH", document_id, "relationships", body, sending)

    async def unrelate(
        self, document_id: str, target_id: str, type: str, **sending: Unpack[Sending]
    ) -> Job:
        """Remove an edge; without it nothing changes."""
        body = {"target_id": target_id, "type": type}
        return await self._change("DELETE", document_id, "relationships", body, sending)

    async def add_children(
        self, document_id: str, ids: Sequence[str], **sending: Unpack[Sending]
    ) -> Job:
        """Make documents children of this one."""
        return await self._change("POST", document_id, "children", {"ids": list(ids)}, sending)

    async def remove_children(
        self, document_id: str, ids: Sequence[str], **sending: Unpack[Sending]
    ) -> Job:
        """Make documents no children of this one; they stay."""
        return await self._change("DELETE", document_id, "children", {"ids": list(ids)}, sending)

    async def _act(
        self, document_id: str, action_type: str, input: Any, scope: str, sending: Sending
    ) -> Job:
        action = {"type": action_type, "scope": scope, "input": input}
        return await self.submit(document_id, action, **sending)

    async def _change(
        self, method: str, document_id: str, place: str, body: dict[str, Any], sending: Sending
    ) -> Job:
        return await self._connection.call(
            Job,
            method,
            f"/v1/documents/{segment(document_id)}/{place}",
            parameters={
                "wait": sending.get("wait"),
                "timeout_ms": sending.get("timeout_ms", TIMEOUT_DEFAULT_MS),
            },
            body={**body, "branch": sending.get("branch", DEFAULT_BRANCH)},
            key=sending.get("idempotency_key") or self._minter.mint(),
        )


def segment(text: str) -> str:
    """A piece of a path, whatever it holds."""
    return quote(text, safe="")


def _edge(target_id: str, type: str, metadata: Any, weight: float | None) -> dict[str, Any]:
    known = {"metadata": metadata, "weight": weight}
    known = {name: value for name, value in known.items() if value is not None}
    return {"target_id": target_id, "type": type, **known}


def _fields(action: ActionLike) -> dict[str, Any]:
    if isinstance(action, ActionRequest):
        return action.model_dump(exclude_unset=True)
    return dict(action)


def _operation(operation: OperationLike) -> dict[str, Any]:
    if isinstance(operation, Operation | LoadedOperation):
        return operation.model_dump(mode="json", exclude_unset=True)
    return dict(operation)
