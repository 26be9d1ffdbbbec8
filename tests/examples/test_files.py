"""Files and folders of a repository, with their history."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor import Context, Origin
from docreactor.examples.files import Author, File, Folder, files, folders
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.errors import InvalidInputError

CONTEXT = Context(
    "2026-11-21T00:00:00.000000Z", "a1", None, Origin("d1", "example/file", "main", "2026-11-21")
)
COMMIT = {
    "commit": "4f1c2d",
    "author_name": "Ada",
    "author_email": "ada@example.org",
    "author_time": "2024-05-01T12:00:00Z",
    "message": "Add the reader",
}
SHA = "0" * 64


def _after(*actions: tuple[str, dict[str, Any]]) -> File:
    state: File = files.initial(1, "global")
    for action_type, input in actions:
        state = files.apply(1, "global", action_type, state, {**COMMIT, **input}, CONTEXT)
    return state


def test_a_text_is_replaced_and_then_patched() -> None:
    state = _after(
        ("REPLACE", {"path": "src/reader.py", "content": "def read(): ...\n"}),
        ("EDIT", {"commit": "9ab0", "patches": [[0, 0, "import io\n"]], "mode": "100755"}),
    )

    assert state == File(
        path="src/reader.py",
        content="import io\ndef read(): ...\n",
        mode="100755",
        author=Author(name="Ada", email="ada@example.org", time="2024-05-01T12:00:00+00:00"),
        commit="9ab0",
        message="Add the reader",
    )


@pytest.mark.parametrize("kind", ["binary", "large"])
def test_of_a_file_that_is_no_text_only_size_and_sum_are_kept(kind: str) -> None:
    state = _after(
        ("REPLACE", {"path": "logo.png", "content": "text"}),
        ("REPLACE", {"kind": kind, "size": 12, "sha256": SHA}),
    )

    assert (state.path, state.kind, state.content) == ("logo.png", kind, "")
    assert (state.size, state.sha256) == (12, SHA)
    with pytest.raises(ValueError, match=f"logo.png is {kind}: only a text takes patches"):
        files.apply(1, "global", "EDIT", state, {**COMMIT, "patches": []}, CONTEXT)
    back = _after(
        ("REPLACE", {"kind": kind, "size": 12, "sha256": SHA}), ("REPLACE", {"content": "a"})
    )
    assert (back.kind, back.content, back.size, back.sha256) == ("text", "a", None, None)


def test_a_state_is_stored_with_its_parts_and_read_back() -> None:
    state = _after(("REPLACE", {"path": "a", "content": "b"}))
    content = files.write(1, "global", state)

    assert decode(content)["author"]["name"] == "Ada"
    assert files.read(1, "global", content) == state


@pytest.mark.parametrize(
    ("input", "reason"),
    [
        ({}, "a text has content"),
        ({"content": "a", "size": 1, "sha256": SHA}, "neither size nor sha256"),
        ({"kind": "binary", "content": "a"}, "a binary file has size and sha256"),
        ({"kind": "large", "size": 1}, "a large file has size and sha256"),
        ({"kind": "link", "content": "a"}, "kind: "),
        ({"content": "a", "mode": "rwx"}, "mode: "),
        ({"content": "a", "commit": ""}, "commit: "),
        ({"content": "a", "author_time": "yesterday"}, "author_time: "),
        ({"kind": "large", "size": 1, "sha256": "x"}, "sha256: "),
    ],
)
def test_a_replacement_that_contradicts_itself_is_refused(
    input: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        files.check(1, "global", "REPLACE", {**COMMIT, **input})


def test_a_folder_knows_where_it_is() -> None:
    state = folders.apply(
        1, "global", "PLACE", folders.initial(1, "global"), {"path": "src"}, CONTEXT
    )

    assert state == Folder(path="src")
