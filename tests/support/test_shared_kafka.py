"""One Kafka for all the processes of a test run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.server import is_ready, recorded_server
from tests.support.broker_user import is_gone, wait_for
from tests.support.shared_kafka import (
    PREFIX,
    RunDirectory,
    SharedKafka,
    end_everything,
    sweep_dead_runs,
)

ROOT = Path(__file__).parents[2]
WAITS = """
    import signal
    def test_it_waits_for_ever(kafka, own_kafka):
        signal.pause()
"""
SHARES = """
    import os
    import pytest
    from pathlib import Path
    def note(*facts):
        with Path(__file__).with_name("seen").open("a") as seen:
            print(*facts, file=seen)
    def test_its_worker_dies(kafka, own_kafka):
        note(kafka.bootstrap_servers, own_kafka.pid)
        os._exit(1)
    @pytest.mark.parametrize("number", range(3))
    def test_it_notes_its_broker(kafka, number):
        note(kafka.bootstrap_servers)
"""
RUN_LIMIT_S = 60

Inner = Callable[..., "subprocess.Popen[bytes]"]

pytestmark = pytest.mark.usefixtures("broker_runtime")


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """A temporary directory of this test's own, in which nothing is left running."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///none.sock")
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setenv("TMPDIR", directory)
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)
        for run in Path(directory).glob(f"{PREFIX}*"):
            end_everything(run)


@pytest.fixture
def inner(temporary: Path) -> Generator[Inner]:
    """Runs pytest over a file of its own: what it leaves behind is what is tested."""
    with ExitStack() as runs:

        def start(program: str, *options: str) -> subprocess.Popen[bytes]:
            (temporary / "pytest.ini").touch()
            (temporary / "test_inner.py").write_text(dedent(program))
            command = [sys.executable, "-m", "pytest", str(temporary), "-p", "tests.support.kafka"]
            run = subprocess.Popen(
                [*command, "-p", "xdist.plugin", *options],
                cwd=ROOT,
                env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            runs.callback(end_run, run)
            return run

        yield start


def end_run(run: subprocess.Popen[bytes]) -> None:
    if run.poll() is None:
        os.killpg(run.pid, signal.SIGKILL)
    run.wait(RUN_LIMIT_S)


def brokers_in(temporary: Path) -> list[int]:
    """The broker processes that live under a directory and take requests."""
    homes = [Home(path.parent) for path in temporary.glob(f"{PREFIX}*/*/server.json")]
    servers = [(home, recorded_server(home)) for home in homes]
    return [server.pid for home, server in servers if server and is_ready(home, server)]


def test_without_an_engine_the_broker_is_started_here_once(temporary: Path) -> None:
    run = RunDirectory()
    first = SharedKafka(run.path, "auto").address()
    assert SharedKafka(run.path, "auto").address() == first
    server = recorded_server(Home(run.path / "broker"))
    assert server is not None
    assert (server.address, server.profile) == (first, Profile.FAST)
    run.close()
    assert is_gone(server.pid)
    assert list(temporary.iterdir()) == []


def test_all_workers_share_one_broker_and_a_crash_of_one_leaves_nothing_behind(
    temporary: Path, inner: Inner
) -> None:
    assert inner(SHARES, "-n", "2").wait(RUN_LIMIT_S) == 1
    seen = [line.split() for line in (temporary / "seen").read_text().splitlines()]
    assert len(seen) == 4
    assert len({address for address, *_ in seen}) == 1
    assert all(is_gone(int(pid)) for _, *pids in seen for pid in pids)
    assert not list(temporary.glob(f"{PREFIX}*"))


def test_no_broker_outlives_a_run_that_was_interrupted(temporary: Path, inner: Inner) -> None:
    run = inner(WAITS, "-n", "1")
    wait_for(lambda: len(brokers_in(temporary)) == 2, what="the shared broker and one of its own")
    pids = brokers_in(temporary)
    os.killpg(run.pid, signal.SIGINT)
    run.wait(RUN_LIMIT_S)
    assert all(is_gone(pid) for pid in pids)
    assert not list(temporary.glob(f"{PREFIX}*"))


def test_what_a_killed_run_has_left_is_ended_by_the_next(temporary: Path, inner: Inner) -> None:
    run = inner(WAITS)
    wait_for(lambda: len(brokers_in(temporary)) == 2, what="the shared broker and one of its own")
    pids = brokers_in(temporary)
    sweep_dead_runs()
    assert not any(is_gone(pid) for pid in pids)
    end_run(run)
    sweep_dead_runs()
    assert all(is_gone(pid) for pid in pids)
    assert not list(temporary.glob(f"{PREFIX}*"))
