"""The line that `up` and `worker` print when they are ready."""

from __future__ import annotations

import orjson
import pytest

from docreactor.gateway.announcement import Announcement

ANNOUNCEMENT = Announcement(
    url="http://127.0.0.1:8080",
    urls=("http://127.0.0.1:8080", "http://127.0.0.1:8081"),
    app="docs",
    data="/data",
    broker="127.0.0.1:9092",
    pids=(1, 2),
)


def test_the_line_is_one_line_of_json_with_the_promised_fields() -> None:
    assert "\n" not in ANNOUNCEMENT.line
    assert list(orjson.loads(ANNOUNCEMENT.line)) == ["url", "urls", "app", "data", "broker", "pids"]


def test_what_was_announced_is_read_back() -> None:
    assert Announcement.parse(ANNOUNCEMENT.line + "\n") == ANNOUNCEMENT


def test_another_line_is_no_announcement() -> None:
    with pytest.raises(ValueError):
        Announcement.parse(b"hello\n")
