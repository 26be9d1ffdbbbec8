"""The command `up`, as a process with children."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from tests.gateway.cli.test_worker import TIMEOUT_S, announced, run, started
from tests.support.kafka import Kafka

EXAMPLE = ("--models", "docreactor.examples.todo")
LIVES_ONLY_IN_UP = """
import sys
from docreactor.examples.todo import *
if "--supervised" in sys.argv:
    raise ValueError("not in a worker")
"""


@pytest.fixture
def environment(kafka: Kafka) -> Mapping[str, str]:
    return {"DOCREACTOR_BROKER": kafka.bootstrap_servers, "DOCREACTOR_PARTITIONS": "2"}


@contextmanager
def ends_of(pids: tuple[int, ...]) -> Iterator[list[int]]:
    """Handles that become readable when the processes end."""
    handles = [os.pidfd_open(pid) for pid in pids]
    try:
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def all_end(handles: list[int]) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    left = set(handles)
    while left and time.monotonic() < deadline:
        ended, _, _ = select.select(left, [], [], deadline - time.monotonic())
        left -= set(ended)
    return not left


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_two_workers_serve_come_back_and_end_with_up(
    tmp_path: Path, app: str, environment: Mapping[str, str]
) -> None:
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", "--workers", "2", *EXAMPLE)

    with started("up", *options, "--json", environment=environment) as process:
        announcement = announced(process)
        assert len(announcement.urls) == len(announcement.pids) == 2
        assert announcement.url == announcement.urls[0]
        assert announcement.data == str(tmp_path)
        assert all(is_ready(url) for url in announcement.urls)

        with ends_of(announcement.pids) as ends:
            os.kill(announcement.pids[0], signal.SIGKILL)
            assert all_end(ends[:1])
            deadline = time.monotonic() + TIMEOUT_S
            while not is_ready(announcement.url):
                assert time.monotonic() < deadline, "it did not come back to its address"

            process.send_signal(signal.SIGTERM)
            out, journal = process.communicate(timeout=TIMEOUT_S)

            assert (process.returncode, out) == (0, "")
            assert "signal SIGKILL" in journal and "Traceback" not in journal
            assert all_end(ends[1:])
        with pytest.raises(httpx.ConnectError):
            httpx.get(announcement.url)


def test_no_worker_outlives_a_killed_up(
    tmp_path: Path, app: str, environment: Mapping[str, str]
) -> None:
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", *EXAMPLE)

    with (
        started("up", *options, "--json", environment=environment) as process,
        ends_of(announced(process).pids) as ends,
    ):
        process.kill()

        assert all_end(ends)


IMPATIENT = """
from docreactor.gateway import supervisor
from docreactor.gateway.cli import main

supervisor.EXITS_MAX = 1
main()
"""


def test_a_worker_that_cannot_live_ends_up_with_its_error(
    tmp_path: Path, app: str, environment: Mapping[str, str]
) -> None:
    model = tmp_path / "model.py"
    model.write_text(LIVES_ONLY_IN_UP)
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", "--models", str(model))

    impatient = (sys.executable, "-P", "-c", IMPATIENT)
    done = run("up", *options, "--json", environment=environment, docreactor=impatient)

    last = orjson.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, done.stdout) == (1, "")
    assert last["error"] == "WorkerFailing"
    assert "ModelNotLoaded" in last["detail"] and "not in a worker" in last["detail"]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (("--models", "no_such_module"), "ModelNotLoaded"),
        ((*EXAMPLE, "--app", "a b"), "InvalidSetting"),
        ((*EXAMPLE, "--host", "0.0.0.0"), "TokenRequired"),
        ((*EXAMPLE, "--host", "192.0.2.1"), "AddressInUse"),
    ],
)
def test_what_up_was_told_wrong_is_refused_before_anything_starts(
    tmp_path: Path, options: tuple[str, ...], error: str
) -> None:
    environment = {"DOCREACTOR_HTTP_TOKEN": "secret"} if error == "AddressInUse" else {}

    done = run("up", "--data", str(tmp_path), *options, "--json", environment=environment)

    last = orjson.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, done.stdout) == (1, "")
    assert last["error"] == error
    assert "Traceback" not in done.stderr


def test_two_apps_share_one_development_broker_which_ends_with_the_last(tmp_path: Path) -> None:
    place = {"DOCREACTOR_DATA": str(tmp_path / "broker"), "DOCREACTOR_PARTITIONS": "2"}

    def options(name: str) -> tuple[str, ...]:
        return ("--app", name, "--data", str(tmp_path / name), "--port", "0", *EXAMPLE, "--json")

    def broker_state() -> str:
        done = run("broker", "status", "--json", environment=place)
        return str(orjson.loads(done.stdout)["state"])

    with started("up", *options("one"), environment=place) as one:
        with started("up", *options("two"), environment=place) as two:
            first, second = announced(one), announced(two)
            assert first.broker == second.broker

            two.send_signal(signal.SIGINT)
            assert two.wait(TIMEOUT_S) == 0
        assert broker_state() == "running"
        assert is_ready(first.url)

        one.send_signal(signal.SIGTERM)
        assert one.wait(TIMEOUT_S) == 0
    assert broker_state() == "stopped"


def test_people_are_told_where_it_answers(
    tmp_path: Path, app: str, environment: Mapping[str, str]
) -> None:
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", *EXAMPLE)

    with started("up", *options, environment=environment) as process:
        assert process.stdout is not None
        said = ""
        while app not in said:
            said = process.stdout.readline()
            assert said, process.communicate()[1]
        said = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)

    assert "http://127.0.0.1:" in said
    assert process.returncode == 0
