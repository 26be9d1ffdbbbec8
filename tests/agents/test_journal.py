"""The journal: one JSON line per happening, errors by name, libraries kept short."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from docreactor.agents.journal import keep_journal, named, tell_end
from docreactor.pipeline.errors import FencedError, LogError


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the journal is kept during a test."""
    stream, root = io.StringIO(), logging.getLogger()
    before = (root.handlers[:], root.level)
    keep_journal(stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_ours_is_json_with_its_facts(stream: io.StringIO) -> None:
    structlog.get_logger("docreactor.test").info("restored", partition=3)

    (line,) = lines(stream)
    assert line["event"] == "restored" and line["partition"] == 3
    assert line["level"] == "info" and line["logger"] == "docreactor.test"


def test_an_error_of_ours_is_named_without_a_traceback(stream: io.StringIO) -> None:
    try:
        try:
            raise FencedError("another process took over")
        except FencedError as fenced:
            raise ExceptionGroup("of a task group", [ValueError(), fenced]) from None
    except ExceptionGroup as group:
        tell_end(structlog.get_logger("docreactor.test"), "ended", group)

    (line,) = lines(stream)
    assert (line["error"], line["detail"]) == ("Fenced", "another process took over")
    assert "exception" not in line


def test_an_error_of_nobody_is_told_with_its_traceback(stream: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        tell_end(structlog.get_logger("docreactor.test"), "ended", error)

    (line,) = lines(stream)
    assert (line["error"], line["detail"]) == ("ZeroDivisionError", "by zero")
    assert "Traceback" in line["exception"]


def test_the_first_error_of_ours_is_found_behind_its_consequences() -> None:
    cause = LogError("gone")
    try:
        raise RuntimeError from cause
    except RuntimeError as error:
        assert named(error) is cause
    assert named(RuntimeError()) is None


def test_a_library_says_the_same_thing_once_in_a_while(stream: io.StringIO) -> None:
    for port in range(40):
        logging.getLogger("aiokafka.conn").error("Unable to connect to %s", port)
    logging.getLogger("aiokafka.conn").error("something else")

    assert [line["event"] for line in lines(stream)] == ["Unable to connect to 0", "something else"]


def test_ours_may_repeat_themselves(stream: io.StringIO) -> None:
    for _ in range(2):
        structlog.get_logger("docreactor.test").warning("fetch failed")

    assert len(lines(stream)) == 2


def test_running_commentaries_and_warnings_of_libraries_are_left_out(stream: io.StringIO) -> None:
    logging.getLogger("faust.app").info("Starting...")
    logging.getLogger("mode.services").error("[^-Part: node]: Crashed reason=%r", ValueError())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    assert lines(stream) == []
