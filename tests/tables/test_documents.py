"""The documents table shows what was staged, finds it, and forgets what was deleted."""

from __future__ import annotations

import pytest

from docreactor.pipeline.canonical import decode
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.tables.criteria import Criteria, Life, Order
from docreactor.tables.documents import DocumentsStage, DocumentsTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import AnyRow
from tests.tables.written import NOTES_TYPE, Written


class Place:
    """A documents table, and the history that it follows."""

    def __init__(self) -> None:
        self.written = Written()
        self.table = DocumentsTable(MemoryStore(), self.written.replay)
        self._followed = 0

    def stage(self) -> DocumentsStage:
        """A stage of everything that was written since the last one."""
        stage = self.table.stage()
        for key, content in self.written.records[self._followed :]:
            document_id, scope, branch, index = key.decode().split("/")
            stream = Stream(document_id, scope, branch)
            state = self.written.states[stream][int(index)]
            operation = Operation.decode(content)
            stage.add(stream, state, operation.timestamp, operation.document_type)
        self._followed = len(self.written.records)
        return stage

    def follow(self) -> list[AnyRow]:
        """Write everything that was written since the last time."""
        rows = self.stage().rows()
        self.table.store.write(rows, {}, now_ms=1)
        return rows

    def create(self, *document_ids: str, slug: str | None = None, branch: str = "main") -> None:
        for document_id in document_ids:
            self.written.create(document_id, branch, slug=slug)
        self.follow()

    def add(self, stream: Stream, count: int) -> None:
        self.written.add(stream, count)
        self.follow()

    def delete(self, document_id: str) -> None:
        self.written.delete(document_id)
        self.follow()

    def listed(self, criteria: Criteria) -> list[str]:
        """The ids of a list, in its order."""
        return [one.document_id for one in self.table.catalogue.listed(criteria, None)]


def rows_of(place: Place) -> list[tuple[bytes, bytes]]:
    """All that is stored."""
    return list(place.table.store.scan(b"", b"\xff"))


@pytest.fixture
def place() -> Place:
    return Place()


STREAM = Stream("d", "global", "main")


def test_a_row_is_the_state_that_replay_wrote(place: Place) -> None:
    place.create("d")
    place.add(STREAM, 3)

    content = place.table.row(STREAM)
    assert content is not None
    assert content == place.table.state("d", "global", "main")
    assert place.written.replay.decode(STREAM, content) == place.written.states[STREAM][2]
    assert place.table.row(Stream("x", "global", "main")) is None


def test_a_stage_that_is_dropped_leaves_no_trace(place: Place) -> None:
    place.written.create("d")
    stage = place.stage()
    stage.quarantine("d", {"title": "X"})
    stage.rows()

    assert place.table.header("d", "main") is None
    assert place.table.quarantine_of("d") is None


def test_a_batch_writes_each_stream_once(place: Place) -> None:
    place.create("d")
    place.written.add(STREAM, 50)

    assert len([key for key, _ in place.follow() if key.startswith(b"s/")]) == 1


def test_a_header_tells_of_every_scope_of_its_branch(place: Place) -> None:
    place.create("d", slug="home")
    place.create("d", branch="draft")
    place.add(STREAM, 3)
    place.add(Stream("d", "local", "main"), 1)

    header = place.table.header("d", "main")
    assert header is not None
    assert header.revision == {"document": 2, "global": 3, "local": 1}
    assert header.document.slug == "home"
    draft = place.table.header("d", "draft")
    assert draft is not None
    assert draft.revision == {"document": 2}
    assert place.table.header("d", "main2") is None


def test_a_document_was_last_modified_at_the_newest_time_of_all_its_scopes(place: Place) -> None:
    place.create("d")
    place.add(STREAM, 2)
    newest = decode(place.written.records[-1][1])["timestamp"]
    place.written.append(STREAM, {"text": "late"}, timestamp="2001-01-01T00:00:00.000000Z")
    place.follow()
    place.written.append(
        Stream("d", "local", "main"), {"text": "late"}, timestamp="2001-01-01T00:00:00.000000Z"
    )
    place.follow()

    header = place.table.header("d", "main")
    assert header is not None
    assert header.last_modified_at == newest


def test_the_json_of_a_header_has_the_fields_of_http(place: Place) -> None:
    place.create("d", slug="home")

    header = place.table.header("d", "main")
    assert header is not None
    times = [decode(content)["timestamp"] for _, content in place.written.records]
    assert header.json == {
        "id": "d",
        "document_type": NOTES_TYPE,
        "slug": "home",
        "name": None,
        "branch": "main",
        "created_at": times[0],
        "last_modified_at": times[1],
        "revision": {"document": 2},
        "protocol_versions": {"base-reducer": 2},
        "meta": {},
        "is_deleted": False,
        "deleted_at": None,
        "slug_claimed_at": times[0],
    }


def test_a_document_shows_all_its_scopes(place: Place) -> None:
    place.create("d")
    place.add(STREAM, 1)
    place.add(Stream("d", "local", "main"), 1)

    shown = place.table.document("d", "main")
    assert shown is not None
    assert shown.state == {
        "document": {"version": 1, "hash": {"algorithm": "sha256", "encoding": "base64url"}},
        "global": {"lines": ["line 0"]},
        "local": {"lines": ["line 0"]},
    }
    assert shown.header == place.table.header("d", "main")


def test_a_document_shows_the_scopes_asked_for_and_its_own(place: Place) -> None:
    place.create("d")
    place.add(STREAM, 1)
    place.add(Stream("d", "local", "main"), 1)

    shown = place.table.document("d", "main", ["local"])
    assert shown is not None
    assert set(shown.state) == {"document", "local"}
    assert shown.header.revision == {"document": 2, "global": 1, "local": 1}


def test_a_scope_without_operations_shows_what_a_new_document_has(place: Place) -> None:
    place.create("d")

    shown = place.table.document("d", "main")
    assert shown is not None
    assert shown.state["global"] == {"lines": []}
    assert place.table.document("x", "main") is None


def test_a_scope_that_the_creation_began_is_shown_before_its_first_operation(place: Place) -> None:
    place.written.create("d", initial_state={"local": {"lines": ["begun"]}})
    place.follow()

    shown = place.table.document("d", "main")
    assert shown is not None
    assert shown.state["local"] == {"lines": ["begun"]}
    assert shown.header.revision == {"document": 2}


def test_a_deleted_document_still_has_a_header_that_says_so(place: Place) -> None:
    place.create("d")
    place.delete("d")

    shown = place.table.document("d", "main")
    assert shown is not None
    assert shown.header.json["is_deleted"]
    assert shown.header.json["deleted_at"] == shown.header.last_modified_at
    assert shown.state["document"]["is_deleted"]


def test_a_slug_stands_for_its_document_until_that_is_deleted(place: Place) -> None:
    place.create("d", slug="home")
    assert place.table.by_slug("home", "main") == "d"
    assert place.table.by_slug("home", "draft") is None

    place.delete("d")
    assert place.table.by_slug("home", "main") is None


def test_a_document_id_is_no_slug(place: Place) -> None:
    place.create("d")

    assert place.table.by_slug("d", "main") is None


def test_of_two_documents_with_one_slug_the_newer_is_answered(place: Place) -> None:
    place.create("b", "a", slug="home")
    assert place.table.by_slug("home", "main") == "a"
    assert [claim.document_id for claim in place.table.slugs.claims("home", "main")] == ["a", "b"]

    place.delete("a")
    assert place.table.by_slug("home", "main") == "b"


def test_a_claim_is_the_same_whether_its_batch_was_cut_or_not(place: Place) -> None:
    whole, cut = Place(), Place()
    whole.create("d", slug="home")
    cut.written.create("d", slug="home")
    cut.written.records, later = cut.written.records[:1], cut.written.records[1:]
    cut.follow()
    cut.written.records += later
    cut.follow()

    assert rows_of(whole) == rows_of(cut)


def test_an_operation_after_the_deletion_does_not_bring_the_slug_back(place: Place) -> None:
    place.create("d", slug="home")
    place.delete("d")
    place.create("e", slug="home")
    place.add(STREAM, 1)

    assert place.table.by_slug("home", "main") == "e"


def test_the_living_of_a_type_and_branch_are_listed(place: Place) -> None:
    place.create("b", "a", "c")
    place.create("draft-only", branch="draft")
    place.delete("b")

    assert place.listed(Criteria(NOTES_TYPE)) == ["a", "c"]
    assert place.listed(Criteria(NOTES_TYPE, life=Life.DELETED)) == ["b"]
    assert place.listed(Criteria(NOTES_TYPE, life=Life.EITHER)) == ["a", "b", "c"]
    assert place.listed(Criteria(NOTES_TYPE, branch="draft")) == ["draft-only"]
    assert place.listed(Criteria("other")) == []


def test_what_changes_in_any_scope_moves_to_the_front_of_the_newest(place: Place) -> None:
    place.create("a", "b", "c")
    place.add(Stream("a", "local", "main"), 1)
    newest, oldest = (Criteria(NOTES_TYPE, order=one) for one in (Order.NEWEST, Order.OLDEST))

    assert place.listed(newest) == ["a", "c", "b"]
    assert place.listed(oldest) == ["b", "c", "a"]


def test_what_is_loaded_with_an_old_time_moves_nothing(place: Place) -> None:
    place.create("a", "b")
    place.written.append(
        Stream("a", "global", "main"), {"text": "late"}, timestamp="2001-01-01T00:00:00.000000Z"
    )
    place.follow()

    assert place.listed(Criteria(NOTES_TYPE, order=Order.NEWEST)) == ["b", "a"]


def test_a_document_is_listed_at_the_time_that_its_header_tells(place: Place) -> None:
    place.create("a", "b")
    place.add(Stream("a", "global", "main"), 3)
    place.delete("b")

    for life in (Life.LIVING, Life.DELETED):
        criteria = Criteria(NOTES_TYPE, life=life, order=Order.OLDEST)
        for listed in place.table.catalogue.listed(criteria, None):
            header = place.table.header(listed.document_id, "main")
            assert header is not None
            assert listed.last_modified_at == header.last_modified_at


def test_the_branches_of_a_document_are_listed_with_those_where_it_was_deleted(
    place: Place,
) -> None:
    place.create("d")
    place.create("d", branch="draft")
    place.create("d-2", branch="other")
    place.written.delete("d", "draft")
    place.follow()

    branches = list(place.table.catalogue.of("d"))
    assert [(branch, entry.is_deleted) for branch, entry in branches] == [
        ("draft", True),
        ("main", False),
    ]
    assert [branch for branch, _ in place.table.catalogue.of("d", "draft")] == ["main"]


def test_lists_are_the_same_however_batches_are_cut(place: Place) -> None:
    cut = Place()
    for one in (place, cut):
        one.written.create("d", slug="home")
        one.written.add(STREAM, 3)
        one.written.create("e")
        one.written.delete("e")
    place.follow()
    records = cut.written.records
    for end in range(1, len(records) + 1):
        cut.written.records = records[:end]
        cut.follow()

    assert rows_of(place) == rows_of(cut)


def test_a_quarantined_document_is_told_of_and_shows_what_it_showed(place: Place) -> None:
    place.create("d", "e")
    place.written.add(STREAM, 1)
    stage = place.stage()
    stage.look_up(["d", "e"])
    assert not stage.is_quarantined("d")
    stage.quarantine("d", {"title": "HashMismatch"})
    assert stage.is_quarantined("d")
    place.table.store.write(stage.rows(), {}, now_ms=1)

    assert place.table.quarantine_of("d") == {"title": "HashMismatch"}
    assert list(place.table.quarantined()) == [("d", {"title": "HashMismatch"})]
    later = place.table.stage()
    later.look_up(["x", "d", "e"])
    assert [later.is_quarantined(document_id) for document_id in ("x", "d", "e")] == [
        False,
        True,
        False,
    ]
    header = place.table.header("d", "main")
    assert header is not None
    assert header.revision == {"document": 2, "global": 1}


def test_looking_a_document_up_keeps_what_the_batch_set_aside(place: Place) -> None:
    place.create("d")
    stage = place.table.stage()
    stage.quarantine("d", {"title": "HashMismatch"})
    stage.look_up(["d"])
    stage.look_up([])

    assert stage.is_quarantined("d")


def test_documents_whose_ids_begin_alike_are_kept_apart(place: Place) -> None:
    place.create("d", "d0", "d-", slug="home")
    place.add(Stream("d0", "global", "main"), 2)

    header = place.table.header("d", "main")
    assert header is not None
    assert header.revision == {"document": 2}


def test_an_erased_document_leaves_no_row() -> None:
    place = Place()
    place.create("d", "d-1", slug="groceries")
    place.create("d", branch="draft", slug="other")
    place.add(Stream("d", "global", "main"), 2)
    stage = place.table.stage()
    stage.quarantine("d", {"title": "HashMismatch"})
    place.table.store.write(stage.rows(), {}, now_ms=1)

    stage = place.table.stage()
    stage.erase("d")
    place.table.store.write(stage.rows(), {}, now_ms=1)

    assert [document_id for document_id, _ in place.table.remains.some(9)] == ["d"]
    place.table.store.write([place.table.remains.done_row("d")], {}, now_ms=1)
    left = [key for key, _ in place.table.store.scan(b"", b"\xff")]
    assert all(b"d-1" in key for key in left), left
    assert place.table.by_slug("groceries", "main") == "d-1"
    assert place.table.by_slug("other", "draft") is None
    assert place.listed(Criteria(NOTES_TYPE, life=Life.EITHER)) == ["d-1"]
    assert place.table.quarantine_of("d") is None


def test_what_a_batch_did_before_an_erasure_leaves_no_row_either() -> None:
    place = Place()
    place.written.create("d", slug="groceries")
    stage = place.stage()
    stage.quarantine("d", {"title": "HashMismatch"})

    stage.erase("d")
    place.table.store.write(stage.rows(), {}, now_ms=1)

    place.table.store.write([place.table.remains.done_row("d")], {}, now_ms=1)
    assert list(place.table.store.scan(b"", b"\xff")) == []
    assert not stage.is_quarantined("d")
