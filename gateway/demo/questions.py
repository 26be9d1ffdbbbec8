"""What the demo asks the reactor, each answer held against what git says."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from docreactor.gateway.answers import Document, Operation
from docreactor.gateway.client import Reactor
from docreactor.gateway.demo.reply import Reply, ms_since, timed
from docreactor.gateway.demo.witness import Listed, Witness
from docreactor.gateway.git.changes import FILE_TYPE
from docreactor.gateway.git.contents import Content
from docreactor.gateway.git.files import File
from docreactor.gateway.requests import DEFAULT_SCOPE, LIMIT_MAX
from docreactor.pipeline.errors import DocumentDeletedError

_PAGE = 50


class Questions:
    """Asks with the token of the last write, so every reply shows the whole import."""

    def __init__(self, reactor: Reactor, witness: Witness, token: str) -> None:
        self._reactor = reactor
        self._witness = witness
        self._token = token

    async def file(self, listed: Listed) -> tuple[Reply, Document]:
        """A file by its path."""
        document, ms = await timed(lambda: self._reactor.get(listed.path, token=self._token))
        shown = document.state[DEFAULT_SCOPE]
        reply = Reply(f"get {listed.path}", _summary(shown), ms, self._is_so(listed, shown))
        return reply, document

    async def history(self, document: Document) -> tuple[Reply, list[Operation]]:
        """The commits that made a file, oldest first."""
        operations, ms = await timed(lambda: self._operations(document.header.id))
        path = document.header.slug
        commits = [operation.action.input["commit"] for operation in operations]
        sound = all(operation.error is None for operation in operations)
        answer = f"{len(commits)} commits, {commits[0][:8]} to {commits[-1][:8]}"
        expected = self._witness.commits(path)
        return Reply(f"history of {path}", answer, ms, sound and commits == expected), operations

    async def earlier(self, document: Document, operation: Operation) -> Reply:
        """A file's text as of an earlier revision."""
        at = f"{DEFAULT_SCOPE}:{operation.index}"
        id, path = document.header.id, document.header.slug
        then, ms = await timed(lambda: self._reactor.get(id, at=at, token=self._token))
        shown = then.state[DEFAULT_SCOPE]
        expected = self._witness.content_at(operation.action.input["commit"], path)
        return Reply(f"get {path} at={at}", _summary(shown), ms, agrees(shown, expected))

    async def removed(self, file: File) -> Reply:
        """A file that is gone: its state is refused, its history stays readable."""
        question, begun = f"get {file.path}, removed", perf_counter()
        try:
            await self._reactor.get(file.id, token=self._token)
        except DocumentDeletedError as refused:
            ms = ms_since(begun)
            commits = [op.action.input["commit"] for op in await self._operations(file.id)]
            expected = [change.commit.id for change in file.versions]
            answer = f"{refused.name()}; its history of {len(commits)} commits is readable"
            return Reply(question, answer, ms, commits == expected)
        return Reply(question, "it is still there", ms_since(begun), False)

    async def every_file(self, progress: Callable[[int], None]) -> tuple[int, list[str]]:
        """How many files the reactor shows, and the paths that git says otherwise of."""
        expected = {listed.path: listed for listed in self._witness.listing()}
        wrong: list[str] = []
        count, cursor = 0, None
        while True:
            page = await self._reactor.find(
                type=FILE_TYPE, limit=_PAGE, cursor=cursor, token=self._token
            )
            for document in page.documents:
                shown = document.state[DEFAULT_SCOPE]
                listed = expected.pop(shown["path"], None)
                if listed is None or not self._is_so(listed, shown):
                    wrong.append(shown["path"])
            count += len(page.documents)
            progress(count)
            cursor = page.next_cursor
            if cursor is None:
                return count, sorted([*wrong, *expected])

    def _is_so(self, listed: Listed, shown: dict[str, Any]) -> bool:
        return shown["mode"] == listed.mode and agrees(shown, self._witness.content(listed))

    async def _operations(self, id: str) -> list[Operation]:
        operations: list[Operation] = []
        cursor: str | None = None
        while True:
            page = await self._reactor.history(
                id, limit=LIMIT_MAX, cursor=cursor, token=self._token
            )
            operations += page.operations
            cursor = page.next_cursor
            if cursor is None:
                return operations


def agrees(shown: dict[str, Any], expected: Content) -> bool:
    """Whether a document shows this content: its text, or else its size and SHA-256."""
    if shown["kind"] == "text":
        return bool(shown["content"] == expected.text)
    return (shown["size"], shown["sha256"]) == (expected.size, expected.sha256)


def _summary(shown: dict[str, Any]) -> str:
    if shown["kind"] == "text":
        lines = shown["content"].count("\n")
        return f"{lines} lines, as of {shown['commit'][:8]} by {shown['author']['name']}"
    return f"{shown['size']} bytes, sha256 {shown['sha256'][:12]}…"
