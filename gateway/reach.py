"""Who answers for a partition: this node, its owner, or for a whole list every owner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import orjson
from starlette.requests import Request
from starlette.responses import Response

from docreactor.agents.live import LivePartition
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.node import Node
from docreactor.gateway.attendance import attended
from docreactor.gateway.facts import add_facts, request_id_of
from docreactor.gateway.refusal import error_of
from docreactor.gateway.reply import refuse
from docreactor.gateway.together import together
from docreactor.pipeline.errors import ReactorError, RestoringError, TooLargeError
from docreactor.pipeline.position import Position

ANSWERED_BY = "X-Docreactor-Answered-By"
POSITION = "X-Docreactor-Position"
NODE = "X-Docreactor-Node"
PARTITIONS = "X-Docreactor-Partitions"
"""On a forwarded call: which partitions the receiver answers for, itself or not at all."""

GENERATION = "X-Docreactor-Generation"
"""On a forwarded call: which generation of the read model answers, so that none are mixed."""

_PASSED_ON = ("authorization", "content-type", "idempotency-key")
_PASSED_BACK = (POSITION, NODE, "retry-after", "content-type")
_CONNECT_S = 2.0
_MARGIN_S = 5.0
_OWNER_CHECK_S = 0.25

TARGET_CHARACTERS_MAX = 60_000
"""Servers and clients read no address of 64 KiB, headers included."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call as another node is asked it. `patience_s` is what the call itself may take."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes | None = None
    patience_s: float = 0.0

    @classmethod
    def like(cls, request: Request, *, patience_s: float, content: bytes | None = None) -> Call:
        """The same call."""
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        headers["x-request-id"] = request_id_of(request.scope)
        path, query = request.scope["raw_path"], request.scope["query_string"]
        target = (path + b"?" + query if query else path).decode("ascii")
        return cls(request.method, target, headers, content, patience_s)

    def to(self, path: str, query: str | None = None) -> Call:
        """The same of another path; without `query` it keeps its own."""
        own = self.target.partition("?")[2] if query is None else query
        return replace(self, target=f"{path}?{own}" if own else path)

    def keyed(self, key: str) -> Call:
        """With this idempotency key."""
        return replace(self, headers={**self.headers, "idempotency-key": key})


@dataclass(frozen=True, slots=True)
class Part:
    """What one partition or one owner answered; `more` when it has further documents."""

    items: list[Item]
    more: bool
    position: Position


@dataclass(frozen=True, slots=True)
class Gathered(Part):
    """What all that were asked answered."""

    answered_by: str


class Reach:
    """Finds who answers, and asks. For each partition a call is forwarded at most once."""

    def __init__(self, node: Node) -> None:
        self.node = node
        # Calls that wait hold a connection each: a bound here would make others wait for theirs.
        self._client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits())

    async def close(self) -> None:
        """Let go of the connections to other nodes."""
        await self._client.aclose()

    def headers(
        self, position: Position | None = None, answered_by: str = "local"
    ) -> dict[str, str]:
        """What every reply of this node carries."""
        position = position or Position(self.node.log_id, {})
        return {ANSWERED_BY: answered_by, POSITION: position.token, NODE: self.node.node_id}

    def elsewhere(self, request: Request, partition: int) -> str | None:
        """The URL of another node that runs the partition, if this call may be forwarded."""
        owner = self.node.owner(partition)
        is_ours = partition in (_named(request) or ()) or owner == self.node.url
        return None if is_ours else owner

    async def one(
        self,
        request: Request,
        partition: int,
        read: Callable[[LivePartition], Awaitable[Response]],
        *,
        position: Callable[[LivePartition], Position],
        call: Call,
    ) -> Response:
        """What the partition answers: `read` here, or `call` at its owner. Restoring without."""
        add_facts(request.scope, partition=partition)
        live = self.node.local(partition)
        if live is None:
            owner = self.elsewhere(request, partition)
            if owner is None:
                raise self.node.restoring(partition)
            return await self.forward(request, owner, partition, call)
        try:
            reply = await read(live)
        except ReactorError as error:
            add_facts(request.scope, error=error.name())
            reply = refuse(error)
        self.confirm(live)
        reply.headers.update(self.headers(position(live)))
        return reply

    def confirm(self, live: LivePartition) -> None:
        """Restoring unless the partition still serves here: what was read may be another's past."""
        if not live.is_life_of(self.node.local(live.number)):
            raise self.node.restoring(live.number)

    async def forward(self, request: Request, owner: str, partition: int, call: Call) -> Response:
        """The owner's reply, with who gave it. Restoring without one, or when the owner changes."""
        answer = await attended(request, self.ask(owner, [partition], call))
        headers = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        headers[ANSWERED_BY] = "forwarded"
        return Response(answer.content, status_code=answer.status_code, headers=headers)

    async def ask(self, owner: str, partitions: Sequence[int], call: Call) -> httpx.Response:
        """The owner's answer for these partitions; Restoring as in `forward`."""
        asking = asyncio.ensure_future(self._ask(owner, partitions, call))
        try:
            while not (await asyncio.wait((asking,), timeout=_OWNER_CHECK_S))[0]:
                if self.node.owner(partitions[0]) != owner:
                    raise self.node.restoring(partitions[0])
            return asking.result()
        finally:
            asking.cancel()

    async def _ask(self, owner: str, partitions: Sequence[int], call: Call) -> httpx.Response:
        if len(call.target) > TARGET_CHARACTERS_MAX:
            what = "characters in the address of a call that other nodes must answer"
            raise TooLargeError(what, limit=TARGET_CHARACTERS_MAX, actual=len(call.target))
        headers = {**call.headers, PARTITIONS: ",".join(map(str, partitions))}
        try:
            return await self._client.request(
                call.method,
                owner + call.target,
                content=call.content,
                headers=headers,
                timeout=httpx.Timeout(call.patience_s + _MARGIN_S, connect=_CONNECT_S),
            )
        except httpx.TransportError as cause:
            state = "without an answer from its owner"
            raise RestoringError(partitions[0], state=state) from cause

    async def every(
        self,
        request: Request,
        partitions: Iterable[int],
        read: Callable[[LivePartition], Awaitable[Part]],
        *,
        call: Call,
        partial: bool = False,
        plural: str = "documents",
        model: str = DOCUMENTS,
    ) -> Gathered:
        """As `gather`, where each partition is read by itself."""

        async def read_all(here: Sequence[LivePartition]) -> Part:
            return joined([await read(live) for live in here], self.node.log_id)

        return await self.gather(
            request, partitions, read_all, call=call, partial=partial, plural=plural, model=model
        )

    async def gather(
        self,
        request: Request,
        partitions: Iterable[int],
        read_all: Callable[[Sequence[LivePartition]], Awaitable[Part]],
        *,
        call: Call,
        partial: bool = False,
        plural: str = "documents",
        model: str = DOCUMENTS,
    ) -> Gathered:
        """What all these partitions answer: `read_all` of those here, or `call` at the owners.

        Restoring when one cannot; with `partial` it is left out. `plural` is the name of the list
        in the reply; all rows are of one generation of the read model.
        """
        generation = self._generation(request, model, partial=partial)
        if generation is not None:
            call = replace(call, headers={**call.headers, GENERATION: str(generation)})
        here: list[LivePartition] = []
        there: dict[str, list[int]] = {}
        for partition in _asked(request, partitions):
            live = self.node.local(partition)
            owner = self.elsewhere(request, partition)
            if live is not None:
                here.append(live.at(generation))
            elif owner is not None:
                there.setdefault(owner, []).append(partition)
            elif not partial:
                raise self.node.restoring(partition)
        parts = await together(
            [
                self._read(here, read_all),
                *(self._list(owner, at, call, partial, plural) for owner, at in there.items()),
            ]
        )
        whole = joined(parts, self.node.log_id)
        answered_by = "gathered" if there else "local"
        return Gathered(whole.items, whole.more, whole.position, answered_by)

    async def _read(
        self,
        here: Sequence[LivePartition],
        read_all: Callable[[Sequence[LivePartition]], Awaitable[Part]],
    ) -> Part:
        part = await read_all(here)
        for live in here:
            self.confirm(live)
        return part

    def _generation(self, request: Request, model: str, *, partial: bool) -> int | None:
        """What a forwarded call names, else what every partition can answer from; or Restoring."""
        named = request.headers.get(GENERATION, "")
        known = self.node.coordinator
        find = known.common if partial else known.answering
        return int(named) if named.isdecimal() else find(model)

    async def _list(
        self, owner: str, partitions: Sequence[int], call: Call, partial: bool, plural: str
    ) -> Part:
        nothing = Position(self.node.log_id, {})
        try:
            answer = await self.ask(owner, partitions, call)
        except RestoringError:
            if partial:
                return Part([], False, nothing)
            raise
        body = orjson.loads(answer.content)
        if answer.status_code == 200:
            position = Position.parse(answer.headers[POSITION], log_id=self.node.log_id)
            return Part(body[plural], body["next_cursor"] is not None, position)
        if partial:
            return Part([], False, nothing)
        raise error_of(body)


def joined(parts: Iterable[Part], log_id: str) -> Part:
    """What several answered, as one."""
    items: list[Item] = []
    more, position = False, Position(log_id, {})
    for part in parts:
        items += part.items
        more = more or part.more
        position = position.merge(part.position)
    return Part(items, more, position)


def _asked(request: Request, partitions: Iterable[int]) -> list[int]:
    """The partitions to answer for: on a forwarded call those that its sender names."""
    named = _named(request)
    return sorted(set(partitions)) if named is None else named


def _named(request: Request) -> list[int] | None:
    """The partitions that a forwarded call's sender names; None for a caller's own."""
    named = request.headers.get(PARTITIONS)
    parts = None if named is None else named.split(",")
    return None if parts is None else [int(part) for part in parts if part.isdecimal()]
