"""The documents table: reduced again from the log, every hash checked."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field

from docreactor.agents.log import Entry
from docreactor.agents.node import Node
from docreactor.pipeline.keys import Stream, record_key
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.position import Offset
from docreactor.pipeline.record import Headers
from docreactor.pipeline.state import State
from tests.support.nodes import Site, counted, done, live, site, until

MARK = "MARK"
FIRST = record_key(Stream("d1", "global", "main"), 0)
Actions = list[tuple[str, Any]]


class Marks(State):
    """The marks that were made."""

    marks: tuple[str, ...] = ()


class Mark(BaseModel):
    """One mark."""

    mark: str = ""


class ShortMark(BaseModel):
    """One mark of a model that has become stricter."""

    mark: str = Field(max_length=1)


def _model(name: str = "test/marks") -> DocumentModel:
    """The model as it was when everything was written: it refuses the mark `no`."""
    model = DocumentModel(name, state=Marks)

    @model.action
    def mark(state: Marks, input: Mark) -> Marks:
        if input.mark == "no":
            raise ValueError("no such mark")
        return state.replace(marks=(*state.marks, input.mark))

    return model


def _without_the_action() -> DocumentModel:
    return DocumentModel("test/marks", state=Marks)


def _stricter() -> DocumentModel:
    model = DocumentModel("test/marks", state=Marks)

    @model.action
    def mark(state: Marks, input: ShortMark) -> Marks:
        return state.replace(marks=(*state.marks, input.mark))

    return model


def _other_result() -> DocumentModel:
    model = DocumentModel("test/marks", state=Marks)

    @model.action
    def mark(state: Marks, input: Mark) -> Marks:
        return state.replace(marks=(input.mark, *state.marks))

    return model


def _more_lenient() -> DocumentModel:
    model = DocumentModel("test/marks", state=Marks)

    @model.action
    def mark(state: Marks, input: Mark) -> Marks:
        return state.replace(marks=(*state.marks, input.mark))

    return model


def _endless() -> DocumentModel:
    model = DocumentModel("test/marks", state=Marks)

    @model.action
    def mark(state: Marks, input: Mark) -> Marks:
        while len(input.mark) > 1:
            pass
        return state.replace(marks=(*state.marks, input.mark))

    return model


def _site(**settings: Any) -> Site:
    place = site(**settings)
    place.models = (_model(),)
    return place


async def _mark(place: Site, node: Node, document_id: str, *marks: str) -> None:
    actions: Actions = [(MARK, {"mark": mark}) for mark in marks]
    assert (await done(node, place.job(document_id, actions))).error is None


async def _create(place: Site, node: Node, *document_ids: str) -> None:
    for document_id in document_ids:
        assert (await done(node, place.creation(document_id, model="test/marks"))).error is None


async def _written(place: Site) -> None:
    """Two documents: the marks of `d1` are long, those of `d2` short."""
    async with place.node() as node:
        await _create(place, node, "d1", "d2")
        await _mark(place, node, "d1", "long", "marks")
        await _mark(place, node, "d2", "a")


def _shown(node: Node, document_id: str) -> Any:
    shown = live(node).documents.document(document_id, "main")
    return None if shown is None else shown.state["global"]["marks"]


def _quarantines(node: Node) -> dict[str, str]:
    found = live(node).documents.quarantined()
    return {document_id: problem["title"] for document_id, problem in found}


def _rebuilt_with(place: Site, model: DocumentModel) -> None:
    """The next process has another model, and a documents table to build."""
    place.models = (model,)
    del place.stores["0/documents"]


async def test_it_shows_what_the_reducer_stored() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1")
        await _mark(place, node, "d1", "a", "b")
        assert _shown(node, "d1") == ["a", "b"]
        header = live(node).documents.header("d1", "main")
        assert header is not None
        assert header.revision == {"document": 2, "global": 2}
        assert counted(node, "viewed_operations_total") == 4


async def test_it_builds_the_same_again_from_the_log() -> None:
    place = _site()
    await _written(place)
    _rebuilt_with(place, _model())
    async with place.node() as node:
        assert _shown(node, "d1") == ["long", "marks"]
        assert _shown(node, "d2") == ["a"]
        assert _quarantines(node) == {}


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (_other_result, "HashMismatch"),
        (_without_the_action, "UnknownAction"),
        (_stricter, "InvalidInput"),
        (_endless, "ReducerTimeout"),
    ],
)
async def test_what_a_model_cannot_apply_any_more_is_set_aside(
    model: Callable[[], DocumentModel], problem: str
) -> None:
    place = _site(reducer_timeout_ms=50)
    await _written(place)
    _rebuilt_with(place, model())
    async with place.node() as node:
        assert _quarantines(node)["d1"] == problem
        assert counted(node, "errors_total", name=problem) >= 1
        await _create(place, node, "d3")
        assert _shown(node, "d3") == []


async def test_one_document_aside_holds_up_no_other() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1", "d2")
        await _mark(place, node, "d1", "a")
        unreadable = record_key(Stream("d1", "global", "main"), 1)
        await place.write(place.topics.operations, Entry(unreadable, b"{"))
        await _mark(place, node, "d2", "b")
        assert _shown(node, "d2") == ["b"]
        assert _quarantines(node) == {"d1": "UndecodableRecord"}
        # It shows what it showed, and takes part no more.
        await _mark(place, node, "d1", "c")
        assert _shown(node, "d1") == ["a"]


@pytest.mark.parametrize("headers", [(("v", b"2"),), ()])
async def test_a_format_from_the_future_sets_its_document_aside(headers: Headers) -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1")
        await place.write(place.topics.operations, Entry(FIRST, b"{}", headers))
        await until(lambda: _quarantines(node) == {"d1": "UnknownFormat"})
        ((_, problem),) = live(node).documents.quarantined()
        offset = place.records(place.topics.operations)[-1].offset
        assert problem["detail"].startswith(f"test.operations {offset}: format version ")


async def test_a_gap_in_a_history_sets_its_document_aside() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1")
        await _mark(place, node, "d1", "a")
        (first,) = (one for one in place.records(place.topics.operations) if one.key == FIRST)
        await place.write(place.topics.operations, Entry(FIRST, first.value))
        await until(lambda: _quarantines(node) == {"d1": "CorruptHistory"})


async def test_what_belongs_to_no_stream_is_counted_and_passed_over() -> None:
    place = _site()
    async with place.node() as node:
        for key in (None, b"no-stream", b"a/b/c/d", b"\xff/a/b/0"):
            await place.write(place.topics.operations, Entry(key, b"{}"))
        await _create(place, node, "d1")
        assert counted(node, "errors_total", name="UndecodableRecord") == 4
        assert _quarantines(node) == {}


async def test_a_recorded_error_is_honoured_and_not_decided_again() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1")
        await _mark(place, node, "d1", "a", "no", "b")
    _rebuilt_with(place, _more_lenient())
    async with place.node() as node:
        assert _shown(node, "d1") == ["a", "b"]
        assert _quarantines(node) == {}


async def test_a_state_that_left_the_cache_is_read_from_its_row() -> None:
    place = _site(cache_documents_max=1)
    async with place.node() as node:
        await _create(place, node, "d1", "d2")
        for mark in ("a", "b", "c"):
            for document_id in ("d1", "d2"):
                await _mark(place, node, document_id, mark)
        assert _shown(node, "d1") == _shown(node, "d2") == ["a", "b", "c"]


async def test_its_position_moves_over_what_was_aborted() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1")
        operations = place.source(place.topics.operations)
        transactor = await place.log().transactor("another")
        with pytest.raises(RuntimeError, match="given up"):
            async with transactor.transaction() as transaction:
                await transaction.send({operations: [Entry(FIRST, b"{")]})
                raise RuntimeError("given up")
        end = Offset(place.cluster.partition(operations).end)
        await until(lambda: live(node).viewed.next_offset == end)
        assert place.stores["0/documents"].positions() == {place.topics.operations: end}
        assert _quarantines(node) == {}


async def test_an_unreadable_operation_holds_up_no_restart() -> None:
    place = _site()
    async with place.node() as node:
        await _create(place, node, "d1", "d2")
        await _mark(place, node, "d2", "a")
        await place.write(place.topics.operations, Entry(FIRST, b"{"), Entry(b"nothing", b"{}"))
    async with place.node() as node:
        await _mark(place, node, "d2", "b")
        assert _shown(node, "d2") == ["a", "b"]
        assert _quarantines(node) == {"d1": "UndecodableRecord"}
