"""What is read in the measurements: whatever answers wrongly is found out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
import pytest_asyncio

from docreactor.bench.folders import Folders
from docreactor.bench.questions import Question, asked_one_by_one, asked_side_by_side, over_wire
from docreactor.bench.stage import Stage
from docreactor.bench.wire import open_wire
from docreactor.bench.workload import Workload, document_id
from docreactor.pipeline.errors import MeasurementFailedError

WORKLOAD, FOLDERS = Workload(partitions=2, documents=3), Folders(partitions=2, edges=300)


class Server:
    """Answers every request with the same."""

    def __init__(self) -> None:
        self.url = ""
        self.status, self.body = 200, b"{}"
        self.refuses = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            status = 503 if self.refuses else self.status
            self.refuses = max(0, self.refuses - 1)
            head = b"HTTP/1.1 %d OK\r\nretry-after: 0\r\ncontent-length: %d\r\n\r\n"
            writer.write(head % (status, len(self.body)) + self.body)
        writer.close()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    answering = Server()
    listening = await asyncio.start_server(answering.answer, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    answering.url = f"http://{host}:{port}"
    yield answering
    listening.close()
    await listening.wait_closed()


async def ask(server: Server, name: str, answer: object, *, status: int = 200) -> None:
    server.status, server.body = status, orjson.dumps(answer)
    async with open_wire(server.url) as wire:
        question = next(one for one in over_wire(wire, WORKLOAD, FOLDERS) if name in one.name)
        await question.ask(0)


async def test_right_answers_are_taken_and_wrong_ones_end_the_measurement(server: Server) -> None:
    leaf, root = "leaf-000000-000", "folder-000000"
    right: dict[str, object] = {
        "a document by id": {"header": {"id": document_id(0)}},
        "id or slug": {"header": {"id": document_id(0)}},
        "3 documents by id": {"documents": [1, 2, 3]},
        "of a type": {"documents": [1]},
        "children": {"ids": FOLDERS.held(0)[:100]},
        "ancestors": {"nodes": [leaf, root, *(f"folder-{n:06}" for n in FOLDERS.sharing(0))]},
        "path from": {"path": [root, leaf]},
        "path that": {"path": None},
    }
    wrong: dict[str, object] = {
        "a document by id": {"header": {"id": "another"}},
        "id or slug": {"header": {"id": "another"}},
        "3 documents by id": {"documents": [1, 2]},
        "of a type": {"documents": []},
        "children": {"ids": []},
        "ancestors": {"nodes": [leaf]},
        "path from": {"path": None},
        "path that": {"path": [leaf, root]},
    }

    for name, answer in right.items():
        await ask(server, name, answer)
        with pytest.raises(MeasurementFailedError):
            await ask(server, name, wrong[name])
        with pytest.raises(MeasurementFailedError, match="500"):
            await ask(server, name, answer, status=500)


async def test_what_is_refused_for_a_moment_is_asked_again(server: Server) -> None:
    server.refuses = 2

    await ask(server, "path that", {"path": None})

    assert server.refuses == 0


async def test_each_kind_has_its_times_and_its_rates(stage: Stage) -> None:
    asked: list[int] = []

    async def note(number: int) -> None:
        asked.append(number)

    questions = [Question("this", note)]
    figures = await asked_one_by_one(stage, "here", questions, 5)
    figures += await asked_side_by_side(stage, "here", questions, 5)

    assert sorted(asked) == sorted([*range(5), *range(5)])
    assert [figure.name for figure in figures] == [
        "here, this, p50",
        "here, this, p99",
        "here, this, max",
        "here, this, one by one",
        "here, this, 16 at once",
    ]
