"""One Kafka process over one directory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest

from docreactor.gateway.broker.archive import archive_flags
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import is_locked, open_locked
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.broker.runtime import Runtime
from docreactor.gateway.broker.server import (
    WHEN_TOLD,
    Server,
    answers,
    await_ready,
    end,
    is_ready,
    kill,
    last_server,
    launch,
    recorded_server,
    write_record,
)
from docreactor.pipeline.errors import BrokerDidNotStartError
from tests.support.broker_user import arguments_of, is_gone

Launch = Callable[[], Server]

RECORDED = Server(
    pid=1, port=0, controller_port=0, profile=Profile.FAST, java="17", started_at="", kept=False
)


@pytest.fixture
def home(tmp_path: Path) -> Generator[Home]:
    """A directory whose name needs care, and in which nothing is left running."""
    home = Home(tmp_path / "a name, ünusual")
    try:
        yield home
    finally:
        if server := recorded_server(home):
            kill(home, server)


@pytest.fixture
def start(home: Home, broker_runtime: Runtime) -> Launch:
    def start() -> Server:
        flags = archive_flags(broker_runtime, progress=silent)
        server = launch(home, broker_runtime, profile=Profile.FAST, flags=flags, kept=False)
        await_ready(home, server, progress=silent)
        return server

    return start


def test_a_server_answers_says_nothing_on_its_output_and_stops_in_order(
    home: Home, start: Launch, broker_runtime: Runtime
) -> None:
    server = start()
    assert recorded_server(home) == server
    assert answers("127.0.0.1", server.port, timeout_s=1)
    assert set(archive_flags(broker_runtime, progress=silent)) <= set(arguments_of(server.pid))
    assert os.getsid(server.pid) == server.pid != os.getsid(0)

    end(home, server)

    assert is_gone(server.pid)
    assert recorded_server(home) is None
    assert last_server(home) == server
    assert home.output.read_bytes() == b""
    assert b"shut down completed" in home.log.read_bytes()


def test_a_killed_server_comes_back_on_its_port_with_its_data(home: Home, start: Launch) -> None:
    first = start()
    identity = (home.data / "meta.properties").read_bytes()
    kill(home, first)
    assert is_gone(first.pid)
    second = start()
    assert (second.port, second.controller_port) == (first.port, first.controller_port)
    assert (home.data / "meta.properties").read_bytes() == identity
    assert b"Kafka Server started" in home.previous_log.read_bytes()


def test_a_port_that_was_taken_meanwhile_is_replaced(home: Home, start: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        home.directory.mkdir()
        write_record(home, replace(RECORDED, port=taken))
        assert start().port != taken


def test_a_server_that_cannot_start_leaves_its_last_words(
    home: Home, start: Launch, broker_runtime: Runtime
) -> None:
    home.data.mkdir(parents=True)
    (home.data / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=AAAAAAAAAAA\n")
    with pytest.raises(BrokerDidNotStartError, match=r"it ended: .*node.*; see .*broker\.log"):
        start()
    assert recorded_server(home) is None


def test_a_second_server_in_one_directory_is_refused(
    home: Home, start: Launch, tmp_path: Path
) -> None:
    identity = open_locked(home.alive)
    assert identity is not None
    try:
        with pytest.raises(BrokerDidNotStartError, match="another one holds its directory"):
            start()
    finally:
        os.close(identity)


def test_a_frozen_server_is_ended_by_force_and_not_waited_for_without_end(
    home: Home, start: Launch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docreactor.gateway.broker.server.STOP_TIMEOUT_S", 0.2)
    server = start()
    os.kill(server.pid, signal.SIGSTOP)
    end(home, server)
    assert is_gone(server.pid)


def test_a_record_without_a_living_server_counts_for_nothing(home: Home) -> None:
    home.directory.mkdir()
    write_record(home, replace(RECORDED, pid=os.getpid()))
    assert last_server(home) is not None
    assert recorded_server(home) is None
    assert not is_locked(home.alive)
    assert not is_ready(home, RECORDED)


def test_nothing_is_started_for_a_starter_that_died_before_it_recorded(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    command = ["/bin/sh", "-c", WHEN_TOLD, "sh", "touch", str(touched)]
    assert subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode != 0
    assert not touched.exists()
    subprocess.run(command, check=True, input=b"go\n")
    assert touched.exists()
