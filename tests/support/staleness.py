"""Writes through every node, reads each write at another one, and decides what is stale."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

import orjson

from docreactor.bench.pace import side_by_side
from docreactor.bench.wire import Answer, open_wire
from tests.support.subjects import Question, Request, Subject

_DOCUMENTED = frozenset({"NotYetVisible", "JobNotReady"})
_TIMEOUT_MS = 10_000
_PATIENCE_S = 60.0
_AGAIN_S = 0.05
_AT_ONCE = 16
_SHOWN = 400


@dataclass(slots=True)
class Findings:
    """What the checker saw. `refused` counts what the documentation allows while a node is gone."""

    writes: int = 0
    reads: int = 0
    skipped: int = 0
    stale: list[str] = field(default_factory=list[str])
    errors: list[str] = field(default_factory=list[str])
    refused: Counter[str] = field(default_factory=Counter[str])
    write_s: list[float] = field(default_factory=list[float])
    read_s: list[float] = field(default_factory=list[float])


class Node(Protocol):
    """Whoever answers requests."""

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer. OSError when there is none."""
        ...


class Checker:
    """It knows of the product what is documented: HTTP. Its model is its subjects'."""

    def __init__(self, nodes: Sequence[Node], subjects: Sequence[Subject]) -> None:
        self._nodes = nodes
        self._subjects = subjects
        self._free = list(subjects)
        self.findings = Findings()

    async def create(self) -> None:
        """Bring the documents; the first node shows all of them."""
        asked = [given for subject in self._subjects for given in subject.creations]

        async def ask(number: int) -> None:
            request = Request("POST", "/v1/documents", {"wait": "read"})
            body, key = orjson.dumps(asked[number]), f"created-{number}"
            assert await self._ask(0, request, body, key=key), self.findings.errors

        await side_by_side(ask, len(asked), at_once=_AT_ONCE)
        self.findings.refused.clear()

    async def run(self, *, per_s: float, seconds: float) -> None:
        """Write at this rate, whatever the answers do; each write is read at other nodes."""
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(round(per_s * seconds)):
                ahead = begin + number / per_s - time.perf_counter()
                if ahead > 0:
                    await asyncio.sleep(ahead)
                if self._free:
                    tasks.create_task(self._turn(number, self._free.pop(0)))
                else:
                    # Every subject has a write under way.
                    self.findings.skipped += 1

    async def compare(self) -> None:
        """At the end every node shows of every subject what its last write left."""
        reads = [
            (node, subject, question)
            for node in range(len(self._nodes))
            for subject in self._subjects
            for question in subject.questions
        ]

        async def ask(number: int) -> None:
            node, subject, question = reads[number]
            await self._read(node, subject, question, subject.token, since=subject.acknowledged)

        await side_by_side(ask, len(reads), at_once=_AT_ONCE)

    async def _turn(self, number: int, subject: Subject) -> None:
        """One write and its reads; the next write may come once this one is acknowledged."""
        nodes = len(self._nodes)
        written = await self._write(number % nodes, subject)
        token, since = subject.token, subject.acknowledged
        self._free.append(subject)
        if written:
            other = 1 + number // nodes % (nodes - 1)
            question = subject.questions[since % len(subject.questions)]
            await self._read((number + other) % nodes, subject, question, token, since=since)

    async def _write(self, node: int, subject: Subject) -> bool:
        """Whether the next write was acknowledged. It is sent until its end is known."""
        request = subject.next()
        key = f"{subject.id}-{subject.asked}"
        asked = Request(request.method, request.path, {**request.query, "wait": "write"})
        begun = time.perf_counter()
        answer = await self._ask(node, asked, orjson.dumps(request.body), key=key)
        self.findings.writes += 1
        self.findings.write_s.append(time.perf_counter() - begun)
        if answer is None:
            return False
        subject.acknowledged = subject.asked
        subject.token = str(orjson.loads(answer.body)["token"])
        return True

    async def _read(
        self, node: int, subject: Subject, question: Question, token: str, *, since: int
    ) -> None:
        asked = question.request
        query = {**asked.query, "token": token} if token else asked.query
        begun = time.perf_counter()
        answer = await self._ask(node, Request(asked.method, asked.path, query))
        self.findings.reads += 1
        self.findings.read_s.append(time.perf_counter() - begun)
        if answer is None:
            return
        seen = subject.seen(question, answer)
        if seen not in subject.allowed(question, since=since):
            self.findings.stale.append(
                f"{asked.path} at node {node}, after write {since} of {subject.asked}: {seen} "
                f"({answer.header('X-Docreactor-Answered-By')}, "
                f"{answer.header('X-Docreactor-Position')}, token {token})"
            )

    async def _ask(
        self, node: int, request: Request, body: bytes = b"", *, key: str = ""
    ) -> Answer | None:
        """The answer of 200; None where something undocumented came instead, which is noted.

        What is documented to pass is asked again, at the same node while it is there.
        """
        query = urlencode({**request.query, "timeout_ms": _TIMEOUT_MS})
        headers = {"Idempotency-Key": key} if key else {}
        content = b"" if body == b"null" else body
        ends_at = time.perf_counter() + _PATIENCE_S
        while True:
            pause_s = _AGAIN_S
            try:
                target = f"{request.path}?{query}"
                answer = await self._nodes[node].ask(request.method, target, content, headers)
            except OSError as gone:
                self.findings.refused[type(gone).__name__] += 1
                # Whoever lost its node goes to the next, as behind a load balancer.
                node = (node + 1) % len(self._nodes)
            else:
                if answer.status == 200:
                    return answer
                said = f"{request.method} {target} at node {node}: {answer.status}"
                name = documented(answer)
                if name is None:
                    self.findings.errors.append(f"{said} {answer.body.decode()[:_SHOWN]}")
                    return None
                self.findings.refused[name] += 1
                pause_s = float(answer.header("Retry-After") or _AGAIN_S)
            if time.perf_counter() > ends_at:
                self.findings.errors.append(f"no end of {request.method} {request.path}")
                return None
            await asyncio.sleep(pause_s)


def documented(answer: Answer) -> str | None:
    """The name of a refusal that is documented to pass; None for anything else."""
    problem: Mapping[str, object] = orjson.loads(answer.body)
    name = str(problem.get("type", "")).rpartition("/")[2]
    if answer.status == 503 and answer.header("Retry-After") is not None:
        return name
    if answer.status == 504 and name in _DOCUMENTED:
        return name
    return None


@asynccontextmanager
async def open_checker(urls: Sequence[str], subjects: Sequence[Subject]) -> AsyncIterator[Checker]:
    """A checker of the nodes at these addresses."""
    async with AsyncExitStack() as wires:
        nodes = [await wires.enter_async_context(open_wire(url)) for url in urls]
        yield Checker(nodes, subjects)
