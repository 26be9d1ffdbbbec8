"""JSON that a command is given."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from docreactor.gateway.cli.given import given_json, given_object, objects
from docreactor.pipeline.errors import InvalidInputError


def test_json_is_given_inline_in_a_file_or_on_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "input.json"
    file.write_bytes(b"[2]")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[3]")))

    assert given_json("[1]", name="INPUT") == [1]
    assert given_json(f"@{file}", name="INPUT") == [2]
    assert given_json("-", name="INPUT") == [3]


@pytest.mark.parametrize("text", ["", "{", "nope", "@no/such/file"])
def test_what_cannot_be_read_is_refused_and_nothing_was_sent(text: str) -> None:
    with pytest.raises(InvalidInputError, match="nothing was sent"):
        given_json(text, name="INPUT")


def test_an_object_is_an_object_or_nothing() -> None:
    assert given_object(None, name="--meta") is None
    assert given_object("{}", name="--meta") == {}
    with pytest.raises(InvalidInputError, match="--meta"):
        given_object("3", name="--meta")


def test_a_list_of_objects_may_be_one_alone() -> None:
    assert objects([{}, {"a": 1}], name="--actions", what="actions") == [{}, {"a": 1}]
    assert objects({"a": 1}, name="--actions", what="actions") == [{"a": 1}]
    for value in (3, None, [{}, 3], "a"):
        with pytest.raises(InvalidInputError, match="--actions: must be a list of actions"):
            objects(value, name="--actions", what="actions")
