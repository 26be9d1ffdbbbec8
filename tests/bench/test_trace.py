"""Recorded edits."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from docreactor.bench.trace import DIRECTORY_VARIABLE, FILE, Trace, read_trace, texts_at
from docreactor.pipeline.errors import BenchDataMissingError

EDITS = [[(0, 0, "ab")], [(1, 1, "\N{OWL}c")], [(0, 1, ""), (2, 0, "d")]]


def record(directory: Path) -> None:
    steps = [{"time": "2020-01-01T00:00:00Z", "patches": patches} for patches in EDITS]
    recording = {"startContent": "", "endContent": "\N{OWL}cd", "txns": steps}
    (directory / FILE).write_bytes(gzip.compress(orjson.dumps(recording)))


def test_a_recording_is_read_with_the_text_that_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(tmp_path)
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))

    assert read_trace() == Trace(EDITS, "\N{OWL}cd")


def test_texts_are_those_after_the_edits_of_their_indexes() -> None:
    assert texts_at(EDITS, [0, 1]) == {0: "ab", 1: "a\N{OWL}c", None: "\N{OWL}cd"}


def test_the_head_of_a_trace_ends_with_its_own_text() -> None:
    assert Trace(EDITS, "\N{OWL}cd").head(2) == Trace(EDITS[:2], "a\N{OWL}c")


def test_without_a_recording_the_error_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)
    with pytest.raises(BenchDataMissingError, match=f"{DIRECTORY_VARIABLE} is not set: get {FILE}"):
        read_trace()

    monkeypatch.setenv(DIRECTORY_VARIABLE, str(tmp_path))
    with pytest.raises(BenchDataMissingError, match="editing-traces"):
        read_trace()
