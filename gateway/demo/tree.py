"""What the demo asks of folders: answers of the graph, each held against git's trees."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from docreactor.gateway.answers import Document
from docreactor.gateway.client import Reactor
from docreactor.gateway.demo.reply import Reply, timed
from docreactor.gateway.demo.witness import Witness
from docreactor.gateway.git.edges import FOLDER_TYPE, slug_of
from docreactor.gateway.git.files import File
from docreactor.gateway.requests import DEFAULT_SCOPE, LIMIT_MAX
from docreactor.pipeline.edge import CHILD

_PAGE = 100


class TreeQuestions:
    """Asks with the token of the last write. A folder is named by its path and a slash."""

    def __init__(self, reactor: Reactor, witness: Witness, token: str) -> None:
        self._reactor = reactor
        self._witness = witness
        self._token = token

    async def ancestors(self, document: Document) -> Reply:
        """The folders that a file is in, up to the repository itself."""
        id, path = document.header.id, document.state[DEFAULT_SCOPE]["path"]
        graph, ms = await timed(lambda: self._reactor.ancestors(id, [CHILD], token=self._token))
        names = await self._names(graph.nodes)
        way = [names[one] for one in graph.nodes]
        edges = [(names[edge.source_id], names[edge.target_id]) for edge in graph.edges]
        expected = [path, *self._witness.folders_of(path)]
        agrees = way == expected and edges == list(zip(expected[1:], expected, strict=False))
        return Reply(f"ancestors of {path}", ", ".join(way[1:]), ms, agrees)

    async def children(self, path: str) -> Reply:
        """What is in a folder."""
        (folder,) = (await self._reactor.find(slugs=[path], token=self._token)).documents
        page, ms = await timed(
            lambda: self._reactor.children(folder.header.id, limit=_PAGE, token=self._token)
        )
        names = set((await self._names(page.ids)).values())
        expected = self._witness.trees()[path]
        # Of a very large folder the page is a part.
        agrees = names == expected if page.next_cursor is None else names < expected
        folders = sum(name.endswith("/") for name in names)
        answer = f"{len(names) - folders} files and {folders} folders"
        return Reply(f"children of {path}", answer, ms, agrees)

    async def removed(self, file: File) -> Reply:
        """A file that is gone: no folder has it."""
        page, ms = await timed(lambda: self._reactor.parents(file.id, token=self._token))
        answer = ", ".join(page.ids) or "none"
        return Reply(f"parents of {file.path}, removed", answer, ms, not page.ids)

    async def every_folder(self, progress: Callable[[int], None]) -> tuple[int, list[str]]:
        """How many folders the reactor shows, and those that git says otherwise of."""
        expected = self._witness.trees()
        wrong: set[str] = set()
        count = 0
        async for folder in self._folders():
            count += 1
            path = _name(folder)
            ids = await self._every_child(folder.header.id)
            names = await self._names(ids)
            shown = sorted(names[id] for id in ids)
            if path not in expected or shown != sorted(expected.pop(path)):
                wrong.add(path)
            progress(count)
        return count, sorted(wrong | expected.keys())

    async def _folders(self) -> AsyncIterator[Document]:
        cursor: str | None = None
        while True:
            page = await self._reactor.find(
                type=FOLDER_TYPE, limit=_PAGE, cursor=cursor, token=self._token
            )
            for document in page.documents:
                yield document
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _every_child(self, id: str) -> list[str]:
        ids: list[str] = []
        cursor: str | None = None
        while True:
            page = await self._reactor.children(
                id, limit=LIMIT_MAX, cursor=cursor, token=self._token
            )
            ids += page.ids
            cursor = page.next_cursor
            if cursor is None:
                return ids

    async def _names(self, ids: Sequence[str]) -> dict[str, str]:
        """What documents are called, by their ids; one that does not show has its id for a name."""
        names = dict(zip(ids, ids, strict=True))
        for start in range(0, len(ids), _PAGE):
            some = ids[start : start + _PAGE]
            page = await self._reactor.find(ids=some, limit=_PAGE, token=self._token)
            names |= {document.header.id: _name(document) for document in page.documents}
        return names


def _name(document: Document) -> str:
    path: str = document.state[DEFAULT_SCOPE]["path"]
    return slug_of(path) if document.header.document_type == FOLDER_TYPE else path
