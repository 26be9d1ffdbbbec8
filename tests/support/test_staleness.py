"""The checker finds what is stale, and takes no refusal that is not documented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from docreactor.bench.wire import Answer
from tests.support.ledger import Ledger, after
from tests.support.staleness import Checker, documented
from tests.support.subjects import Counted, Subject, Tied


@dataclass
class Deployment:
    """Ledgers and edges by what was written to them, newest last."""

    ledgers: dict[str, list[Ledger]] = field(default_factory=dict[str, list[Ledger]])
    edges: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def write(self, method: str, path: str, query: dict[str, str], body: Any) -> object:
        """Take a write in."""
        if path == "/v1/documents":
            self.ledgers[body["id"]], self.edges[body["id"]] = [Ledger()], [None]
        elif path.endswith("/actions"):
            states = self.ledgers[path.split("/")[3]]
            states.append(after(states[-1], body["actions"][0]["input"]["amount"]))
        else:
            added = None if method == "DELETE" else body["metadata"]
            self.edges[path.split("/")[3]].append(added)
        return {"token": "a.token"}

    def read(self, path: str, query: dict[str, str], *, late: int) -> object:
        """What was so many writes ago."""
        if path == "/v1/graph/ancestors":
            source = query["id"].removesuffix("-end")
            held = [source] if self._edge(source, late) else []
            return {"nodes": [query["id"], *held]}
        if path.endswith("/relationships"):
            metadata = self._edge(path.split("/")[3].removesuffix("-end"), late)
            return {"relationships": [{"metadata": metadata}] if metadata else []}
        id = query.get("ids") or path.split("/")[3]
        state = self.ledgers[id][max(0, len(self.ledgers[id]) - 1 - late)].model_dump()
        revision = {"document": 2 + max(0, len(self.edges[id]) - 1 - late)}
        shown = {"header": {"revision": revision}, "state": {"global": state}}
        return {"documents": [shown]} if "ids" in query else shown

    def _edge(self, source: str, late: int) -> Any:
        values = self.edges[source]
        return values[max(0, len(values) - 1 - late)]


@dataclass
class Node:
    """Answers for the deployment as it was `late` writes ago, after it gave these other answers."""

    deployment: Deployment
    late: int = 0
    before: list[Answer | OSError] = field(default_factory=list[Answer | OSError])

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if method == "GET" and self.before:
            first = self.before.pop()
            if isinstance(first, OSError):
                raise first
            return first
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if method == "GET":
            answered = self.deployment.read(parts.path, query, late=self.late)
        else:
            content = orjson.loads(body) if body else None
            answered = self.deployment.write(method, parts.path, query, content)
        return Answer(200, orjson.dumps(answered))


def problem(name: str, status: int, *, head: bytes = b"") -> Answer:
    return Answer(status, orjson.dumps({"type": f"https://errors/{name}"}), head)


def subjects() -> list[Subject]:
    return [Counted("counted"), Tied("tied")]


async def checked(*nodes: Node) -> Checker:
    checker = Checker(nodes, subjects())
    await checker.create()
    await checker.run(per_s=1_000, seconds=0.5)
    return checker


async def test_nodes_that_show_every_write_are_found_right() -> None:
    deployment = Deployment()

    checker = await checked(*(Node(deployment) for _ in range(3)))
    await checker.compare()

    findings = checker.findings
    assert (findings.stale, findings.errors, findings.refused) == ([], [], {})
    assert findings.writes + findings.skipped == 500
    assert findings.reads == findings.writes + 3 * sum(len(one.questions) for one in subjects())


async def test_a_node_that_is_one_write_behind_is_found_stale_of_each_kind() -> None:
    deployment = Deployment()

    checker = await checked(Node(deployment), Node(deployment, late=1), Node(deployment))
    stale = checker.findings.stale

    assert stale and all(" at node 1," in one for one in stale)
    assert any(one.startswith("/v1/documents/counted at") for one in stale)
    assert any(one.startswith("/v1/documents/tied at") for one in stale)
    assert any("relationships" in one for one in stale)
    assert any("ancestors" in one for one in stale)


async def test_a_node_that_is_behind_at_the_end_is_found_stale() -> None:
    deployment = Deployment()
    late = Node(deployment)
    checker = await checked(Node(deployment), late)

    late.late = 1
    await checker.compare()

    assert all(" at node 1," in one for one in checker.findings.stale)
    assert len(checker.findings.stale) >= 3


async def test_what_is_documented_to_pass_is_asked_again_and_counted() -> None:
    deployment = Deployment()
    passing: list[Answer | OSError] = [
        problem("Restoring", 503, head=b"HTTP/1.1 503\r\nretry-after: 0\r\n"),
        problem("NotYetVisible", 504),
        ConnectionRefusedError(),
    ]

    findings = (await checked(Node(deployment), Node(deployment, before=passing))).findings

    assert (findings.stale, findings.errors) == ([], [])
    assert findings.refused == {"Restoring": 1, "NotYetVisible": 1, "ConnectionRefusedError": 1}


@pytest.mark.parametrize(
    "answer",
    [problem("Restoring", 503), problem("Other", 504), problem("DocumentNotFound", 404)],
)
async def test_any_other_answer_is_an_error(answer: Answer) -> None:
    deployment = Deployment()

    findings = (await checked(Node(deployment), Node(deployment, before=[answer]))).findings

    assert documented(answer) is None
    assert len(findings.errors) == 1
