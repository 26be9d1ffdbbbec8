"""A header is told from the rows of its document's streams."""

from __future__ import annotations

from docreactor.pipeline.keys import Stream
from docreactor.tables.headers import Headers, revision_key, state_key
from tests.tables.test_documents import Place


def test_a_header_is_one_branchs() -> None:
    place = Place()
    place.create("d", slug="home")
    place.create("d", branch="draft")
    place.add(Stream("d", "global", "draft"), 2)
    headers = Headers(place.table.store, place.written.replay)

    main, draft = headers.of("d", "main"), headers.of("d", "draft")

    assert main is not None and draft is not None
    assert (main.slug, main.revision) == ("home", {"document": 2})
    assert draft.revision == {"document": 2, "global": 2}
    assert headers.of("d", "dra") is None


def test_what_scopes_say_of_a_header_leaves_out_those_that_are_said_anew() -> None:
    place = Place()
    place.create("d")
    place.add(Stream("d", "global", "main"), 1)
    headers = Headers(place.table.store, place.written.replay)

    assert len(headers.facts("d", "main", but=())) == 2
    assert len(headers.facts("d", "main", but={"global"})) == 1
    assert headers.facts("nobody", "main", but=()) == []


def test_streams_whose_names_begin_alike_are_kept_apart() -> None:
    first, second = Stream("d", "global", "main"), Stream("d-", "global", "main")

    assert not state_key(second).startswith(state_key(first))
    assert not revision_key(second).startswith(revision_key(first))
