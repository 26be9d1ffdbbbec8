"""A formatted data directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.profile import Profile, server_properties
from docreactor.gateway.broker.runtime import Runtime
from docreactor.gateway.broker.storage import CHECKPOINT, PROPERTIES, format_storage
from docreactor.pipeline.errors import BrokerDidNotStartError


@pytest.fixture
def runtime(tmp_path: Path, broker_runtime: Runtime) -> Runtime:
    """One whose cache has never seen a formatted directory."""
    runtime = replace(broker_runtime, cache=tmp_path / "cache")
    runtime.kafka.mkdir(parents=True)
    return runtime


def home_at(directory: Path) -> Home:
    home = Home(directory)
    home.directory.mkdir()
    facts = server_properties(Profile.FAST, data=Path("data"), port=1, controller_port=2)
    home.settings.write_text("".join(f"{name}={value}\n" for name, value in facts.items()))
    return home


def properties(home: Home) -> dict[str, str]:
    lines = (home.data / PROPERTIES).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def test_the_tool_formats_once_and_its_result_serves_every_later_directory(
    tmp_path: Path, runtime: Runtime
) -> None:
    first, second = home_at(tmp_path / "first"), home_at(tmp_path / "second")
    format_storage(first, runtime)
    format_storage(second, runtime)

    assert (first.data / CHECKPOINT).read_bytes() == (second.data / CHECKPOINT).read_bytes()
    by_tool, by_us = properties(first), properties(second)
    assert by_tool.keys() == by_us.keys()
    assert by_tool["version"] == by_us["version"]
    assert by_tool["node.id"] == by_us["node.id"]
    assert by_tool["cluster.id"] != by_us["cluster.id"]
    assert by_tool["directory.id"] != by_us["directory.id"]


def test_a_formatted_directory_is_left_as_it_is(tmp_path: Path, broker_runtime: Runtime) -> None:
    home = home_at(tmp_path / "home")
    format_storage(home, broker_runtime)
    before = properties(home)
    format_storage(home, broker_runtime)
    assert properties(home) == before


def test_a_tool_that_fails_leaves_its_words_where_the_error_says(
    tmp_path: Path, runtime: Runtime
) -> None:
    home = home_at(tmp_path / "home")
    home.settings.write_text("node.id=none\n")
    with pytest.raises(BrokerDidNotStartError, match="storage tool") as failure:
        format_storage(home, runtime)
    assert "Invalid value none" in Path(str(failure.value.facts["log"])).read_text()
