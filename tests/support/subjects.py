"""Documents and edges that are written one write after the other: what each may show is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from docreactor.bench.wire import Answer
from tests.support.ledger import Ledger, after

_CREATED = 2
"""Operations that create a document."""


class Request(NamedTuple):
    """What is asked of a node, without the parameters that every request has."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Question:
    """A read, and how its answer is to be understood: it gives one of the subject's facts."""

    request: Request
    fact: int


class Subject(ABC):
    """One thing that is written to. It has one writer, which waits for each write's end.

    After each write there is a fact for each way to look at it; number 0 is how it begins.
    `token` is that of the last acknowledged write.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.asked = 0
        self.acknowledged = 0
        self.token = ""
        self._facts: list[tuple[Any, ...]] = []

    def next(self) -> Request:
        """The next write; from now on it may be seen."""
        self.asked += 1
        request, facts = self._write(self.asked)
        self._facts.append(facts)
        return request

    def allowed(self, question: Question, *, since: int) -> list[Any]:
        """What an answer may say that must contain write number `since`."""
        return [self._facts[number][question.fact] for number in range(since, self.asked + 1)]

    @abstractmethod
    def _write(self, number: int) -> tuple[Request, tuple[Any, ...]]:
        """The write, and what is to be seen after it."""

    @property
    @abstractmethod
    def creations(self) -> Sequence[Mapping[str, Any]]:
        """The documents that must be there before the first write."""

    @property
    @abstractmethod
    def questions(self) -> Sequence[Question]:
        """The ways to look at it."""

    @abstractmethod
    def seen(self, question: Question, answer: Answer) -> Any:
        """What an answer says, to be found among the allowed."""


class Counted(Subject):
    """A ledger in the document view: its digest tells which entries it contains, in which order."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._state = Ledger()
        self._facts.append((self._state.model_dump(),))

    @property
    def creations(self) -> Sequence[Mapping[str, Any]]:
        return [{"document_type": "test/ledger", "id": self.id}]

    @property
    def questions(self) -> Sequence[Question]:
        found = Request("GET", "/v1/documents", {"ids": self.id})
        shown = Request("GET", f"/v1/documents/{self.id}", {"by": "id"})
        return [Question(shown, 0), Question(found, 0)]

    def seen(self, question: Question, answer: Answer) -> Any:
        body = orjson.loads(answer.body)
        shown = body["documents"][0] if "documents" in body else body
        return shown["state"]["global"]

    def _write(self, number: int) -> tuple[Request, tuple[Any, ...]]:
        amount = number * 7 % 1_000
        self._state = after(self._state, amount)
        body = {"actions": [{"type": "ADD", "input": {"amount": amount}}]}
        path = f"/v1/documents/{self.id}/actions"
        return Request("POST", path, {}, body), (self._state.model_dump(),)


class Tied(Subject):
    """An edge in the graph: it is added, described anew, removed, and so on.

    Its source is in the document view, where its revision counts the writes.
    """

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._target = f"{id}-end"
        self._facts.append((None, [], _CREATED))

    @property
    def creations(self) -> Sequence[Mapping[str, Any]]:
        return [{"document_type": "test/ledger", "id": id} for id in (self.id, self._target)]

    @property
    def questions(self) -> Sequence[Question]:
        def edges(id: str, direction: str) -> Request:
            return Request("GET", f"/v1/documents/{id}/relationships", {"direction": direction})

        ancestors = Request("GET", "/v1/graph/ancestors", {"id": self._target, "type": "child"})
        return [
            Question(edges(self.id, "out"), 0),
            Question(ancestors, 1),
            Question(edges(self._target, "in"), 0),
            Question(Request("GET", f"/v1/documents/{self.id}", {}), 2),
        ]

    def seen(self, question: Question, answer: Answer) -> Any:
        body = orjson.loads(answer.body)
        if question.fact == 2:
            return body["header"]["revision"]["document"]
        if question.fact == 1:
            return sorted(set(body["nodes"]) - {self._target})
        edges = body["relationships"]
        return [edge["metadata"] for edge in edges] if len(edges) > 1 else _metadata(edges)

    def _write(self, number: int) -> tuple[Request, tuple[Any, ...]]:
        path = f"/v1/documents/{self.id}/relationships"
        edge = {"target_id": self._target, "type": "child"}
        if number % 3 == 0:
            return Request("DELETE", path, edge), (None, [], _CREATED + number)
        method = "POST" if number % 3 == 1 else "PATCH"
        metadata = {"number": number}
        facts = (metadata, [self.id], _CREATED + number)
        return Request(method, path, {}, {**edge, "metadata": metadata}), facts


def _metadata(edges: Sequence[Mapping[str, Any]]) -> Any:
    return edges[0]["metadata"] if edges else None
