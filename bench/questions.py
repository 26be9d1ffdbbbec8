"""What is read in the measurements, and how long that takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from docreactor.agents.node import Node
from docreactor.bench.folders import Folders, folder_id, leaf_id
from docreactor.bench.pace import Ask, one_by_one, side_by_side
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.stock import DOCUMENT_TYPE
from docreactor.bench.timings import spread
from docreactor.bench.wire import Wire
from docreactor.bench.workload import Workload, document_id
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.inputs import DEFAULT_BRANCH

AT_ONCE = 16
BY_ID = "a document by id"
"""Of all questions the one that a single partition answers, wherever it is."""
_SEVERAL = 20
_PAGE = 100
# Neighbouring numbers ask for things that lie far apart.
_STEP = 7_919


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of read. Requests of different numbers ask for different things."""

    name: str
    ask: Ask


async def asked_one_by_one(
    stage: Stage, way: str, questions: Sequence[Question], count: int
) -> list[Figure]:
    """How long each takes, and so how many in a second one caller has answered."""
    figures: list[Figure] = []
    for question in questions:
        stage.say(f"{way}: {question.name}, one by one")
        taken = await one_by_one(question.ask, count)
        name = f"{way}, {question.name}"
        figures += spread(taken).figures(name)
        figures.append(Figure(f"{name}, one by one", len(taken) / sum(taken), "reads/s"))
    return figures


async def asked_side_by_side(
    stage: Stage, way: str, questions: Sequence[Question], count: int
) -> list[Figure]:
    """How many are answered in a second when some are always under way."""
    figures: list[Figure] = []
    for question in questions:
        stage.say(f"{way}: {question.name}, {AT_ONCE} at once")
        seconds = await side_by_side(question.ask, count, at_once=AT_ONCE)
        name = f"{way}, {question.name}, {AT_ONCE} at once"
        figures.append(Figure(name, count / seconds, "reads/s"))
    return figures


def over_wire(wire: Wire, workload: Workload, folders: Folders) -> list[Question]:
    """Through HTTP. MeasurementFailed for an answer that is not the right one."""
    asked = _Asked(wire)
    return [*_of_documents(asked, workload), *_of_graph(asked, _Places(folders))]


class _Asked:
    """Makes questions of a path and of what the right answer to it is, by their number."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def get(
        self, name: str, path: Callable[[int], str], is_right: Callable[[int, Any], bool]
    ) -> Question:
        async def ask(number: int) -> None:
            # As a client does; it counts as waiting.
            while (answer := await self._wire.get(path(number))).status == 503:  # noqa: ASYNC110
                await asyncio.sleep(float(answer.header("Retry-After") or 0))
            if answer.status != 200 or not is_right(number, orjson.loads(answer.body)):
                said = answer.body.decode()[:500]
                raise MeasurementFailedError(f"{path(number)}: {answer.status}: {said}")

        return Question(name, ask)


def _of_documents(asked: _Asked, workload: Workload) -> list[Question]:
    at_once = min(_SEVERAL, workload.documents)

    def document(number: int) -> str:
        return document_id(number * _STEP % workload.documents)

    def several(number: int) -> str:
        return ",".join(document(one) for one in range(number, number + at_once))

    return [
        asked.get(
            BY_ID,
            lambda number: f"/v1/documents/{document(number)}?by=id",
            lambda number, found: bool(found["header"]["id"] == document(number)),
        ),
        asked.get(
            "a document by id or slug",
            lambda number: f"/v1/documents/{document(number)}",
            lambda number, found: bool(found["header"]["id"] == document(number)),
        ),
        asked.get(
            f"{at_once} documents by id",
            lambda number: f"/v1/documents?ids={several(number)}",
            lambda _, found: len(found["documents"]) == at_once,
        ),
        asked.get(
            f"a page of {_PAGE} of a type",
            lambda _: f"/v1/documents?type={DOCUMENT_TYPE}&limit={_PAGE}",
            lambda _, found: bool(found["documents"]),
        ),
    ]


def _of_graph(asked: _Asked, where: _Places) -> list[Question]:
    graph, first = "/v1/graph", folder_id(0)
    return [
        asked.get(
            f"a page of {_PAGE} children",
            lambda number: f"{graph}/children?id={where.folder(number)}&limit={_PAGE}",
            lambda number, found: bool(found["ids"] == where.children(number)),
        ),
        asked.get(
            "ancestors",
            lambda number: f"{graph}/ancestors?id={where.leaf(number)}&type={CHILD}",
            lambda number, found: set(found["nodes"]) == where.ancestors(number),
        ),
        asked.get(
            "path from the first folder",
            lambda number: f"{graph}/path?source={first}&target={where.leaf(number)}&type={CHILD}",
            lambda number, found: _is_way(found["path"], where.leaf(number)),
        ),
        asked.get(
            "path that is not there",
            lambda number: f"{graph}/path?source={where.leaf(number)}&target={first}&type={CHILD}",
            lambda _, found: found["path"] is None,
        ),
    ]


def inside(node: Node, workload: Workload, folders: Folders) -> list[Question]:
    """In this process: the tables alone. MeasurementFailed for an answer that is not right."""
    where, graph = _Places(folders), node.graph.table

    async def document(number: int) -> None:
        id = document_id(number * _STEP % workload.documents)
        live = node.local(node.partition_of(id))
        if live is None or live.documents.document(id, DEFAULT_BRANCH) is None:
            raise MeasurementFailedError(f"{id} is not shown")

    async def children(number: int) -> None:
        found = graph.children(where.folder(number), DEFAULT_BRANCH, limit=_PAGE)
        _check(found.ids == where.children(number), where.folder(number))

    async def ancestors(number: int) -> None:
        found = await graph.ancestors(where.leaf(number), (CHILD,), DEFAULT_BRANCH)
        _check(set(found.nodes) == where.ancestors(number), where.leaf(number))

    async def path(number: int) -> None:
        leaf = where.leaf(number)
        found = await graph.path(folder_id(0), leaf, (CHILD,), DEFAULT_BRANCH)
        _check(_is_way(found, leaf), leaf)

    return [
        Question(BY_ID, document),
        Question(f"a page of {_PAGE} children", children),
        Question("ancestors", ancestors),
        Question("path from the first folder", path),
    ]


class _Places:
    """What is asked for by a number, and what the answer must be."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def folder(self, number: int) -> str:
        return folder_id(self._number(number))

    def children(self, number: int) -> list[str]:
        return self._folders.held(self._number(number))[:_PAGE]

    def leaf(self, number: int) -> str:
        """The first leaf of a folder, which is also in another one."""
        return leaf_id(self._number(number), 0)

    def ancestors(self, number: int) -> set[str]:
        """The leaf itself, and whatever it is in."""
        folders, folder = self._folders, self._number(number)
        holders = [folder, *folders.sharing(folder)]
        return {self.leaf(number), *(one for holder in holders for one in folders.above(holder))}

    def _number(self, number: int) -> int:
        return number * _STEP % self._folders.count


def _is_way(path: list[str] | None, leaf: str) -> bool:
    return path is not None and (path[0], path[-1]) == (folder_id(0), leaf)


def _check(is_right: bool, id: str) -> None:
    if not is_right:
        raise MeasurementFailedError(f"the graph is not right at {id}")
