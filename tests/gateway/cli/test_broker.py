"""The commands of the development broker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from docreactor.gateway.broker.development import shared_broker, stop_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.cli.broker import app
from docreactor.pipeline.errors import BrokerInUseError
from docreactor.pipeline.settings import Settings
from tests.support.broker_user import is_gone

pytestmark = pytest.mark.usefixtures("broker_runtime")


@pytest.fixture
def settings(tmp_path: Path) -> Generator[Settings]:
    settings = Settings(data=tmp_path)
    try:
        yield settings
    finally:
        stop_broker(settings, force=True, progress=silent)


def run(command: str, settings: Settings, *options: str) -> dict[str, Any]:
    """Run one command as its users do, in a process; the JSON that it prints."""
    arguments = [command, "--data", str(settings.data), "--json", *options]
    answer = subprocess.run(
        [sys.executable, "-m", "docreactor.gateway.broker", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.stdout.count("\n") == 1
    facts: dict[str, Any] = json.loads(answer.stdout)
    return facts


def read(*arguments: str) -> str:
    """What people read on their terminal, without its line breaks."""
    answer = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
    assert answer.exit_code == 0
    return " ".join(answer.output.split())


def test_a_broker_is_started_shown_stopped_and_wiped(settings: Settings) -> None:
    started = run("start", settings, "--profile", "fast")
    assert (started["state"], started["kept"], started["profile"]) == ("running", True, "fast")
    assert run("status", settings) | {"data_bytes": 0} == started | {"data_bytes": 0}

    stopped = run("stop", settings)
    assert (stopped["state"], stopped["bootstrap_servers"]) == ("stopped", None)
    assert stopped["data_bytes"] > 0
    assert is_gone(started["pid"])

    assert run("reset", settings)["data_bytes"] == 0


def test_people_read_what_runs_and_what_to_do_next(settings: Settings) -> None:
    data = str(settings.data)
    assert "state stopped" in read("status", "--data", data)
    shown = read("start", "--profile", "fast", "--data", data)
    assert "Starting Apache Kafka" in shown
    assert "stays until `docreactor broker stop`" in shown
    assert "other programs: DOCREACTOR_BROKER=127.0.0.1:" in shown
    assert "`docreactor broker start` now" in read("stop", "--data", data)


def test_a_broker_in_use_is_neither_stopped_nor_wiped_without_force(settings: Settings) -> None:
    data = str(settings.data)
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as server:
        assert f"users process {os.getpid()}" in read("status", "--data", data)
        for command in ("stop", "reset"):
            with pytest.raises(BrokerInUseError, match=str(os.getpid())):
                read(command, "--data", data)
        assert "state stopped" in read("stop", "--force", "--data", data)
        assert is_gone(server.pid)


def test_a_named_kafka_is_shown_as_what_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCREACTOR_BROKER", "kafka.example:9092")
    shown = read("status", "--data", str(settings.data))
    assert "state external address kafka.example:9092" in shown
    assert "unset it for a development broker" in shown


@pytest.mark.parametrize("command", ["start", "stop", "status", "reset"])
def test_every_command_says_what_it_does_and_what_comes_next(command: str) -> None:
    text = read(command, "--help")
    assert "--data" in text
    assert "--json" in text
    assert len(text) > 400
