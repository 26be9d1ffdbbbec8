"""The command `worker`, as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import orjson

from docreactor.gateway.announcement import Announcement
from tests.support.kafka import Kafka

DOCREACTOR = (sys.executable, "-P", "-c", "from docreactor.gateway.cli import main; main()")
TALKATIVE = "from docreactor.examples.todo import *\nprint('a model says something')\n"
TIMEOUT_S = 60


def run(
    *arguments: str, environment: Mapping[str, str], docreactor: tuple[str, ...] = DOCREACTOR
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        (*docreactor, *arguments),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, **environment},
        check=False,
    )


@contextmanager
def started(*arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that stays; killed at the end of the block if it still runs."""
    with subprocess.Popen(
        (*DOCREACTOR, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def announced(process: subprocess.Popen[str]) -> Announcement:
    """What the process says when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise AssertionError(f"it ended: {process.communicate()[1][-2_000:]}")
    return Announcement.parse(line)


def test_a_worker_says_one_line_serves_and_stops_with_code_zero(
    tmp_path: Path, app: str, kafka: Kafka
) -> None:
    environment = {"DOCREACTOR_BROKER": kafka.bootstrap_servers, "DOCREACTOR_PARTITIONS": "2"}
    assert run("topics", "create", "--app", app, environment=environment).returncode == 0
    model = tmp_path / "talkative.py"
    model.write_text(TALKATIVE)
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", "--models", str(model))

    with started("worker", *options, "--json", environment=environment) as process:
        announcement = announced(process)
        assert announcement == Announcement(
            url=announcement.url,
            urls=(announcement.url,),
            app=app,
            data=str(tmp_path),
            broker=kafka.bootstrap_servers,
            pids=(process.pid,),
        )
        assert httpx.get(f"{announcement.url}/readyz").status_code == 200
        models = httpx.get(f"{announcement.url}/v1/models").json()["models"]
        assert [model["document_type"] for model in models] == ["example/todo"]

        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, journal = process.communicate(timeout=TIMEOUT_S)

        assert process.returncode == 0, journal
        assert out == "", "standard output is for the one line"
        assert "a model says something" in journal
        assert time.monotonic() - began < 10


def test_a_worker_that_cannot_start_says_why_in_one_line(
    tmp_path: Path, app: str, kafka: Kafka
) -> None:
    options = ("--app", app, "--data", str(tmp_path), "--port", "0", "--json")

    done = run(
        "worker",
        *options,
        "--models",
        "docreactor.examples.todo",
        environment={"DOCREACTOR_BROKER": kafka.bootstrap_servers},
    )

    assert (done.returncode, done.stdout) == (1, "")
    last = orjson.loads(done.stderr.splitlines()[-1])
    assert (last["level"], last["error"]) == ("critical", "TopicsMissing")
    assert "Traceback" not in done.stderr


def test_a_worker_without_any_broker_names_the_setting(tmp_path: Path) -> None:
    environment = {"DOCREACTOR_DATA": str(tmp_path)}
    environment |= {"DOCREACTOR_BROKER": ""} if "DOCREACTOR_BROKER" in os.environ else {}

    done = run("worker", "--json", environment=environment)

    last = orjson.loads(done.stderr.splitlines()[-1])
    assert (done.returncode, last["error"]) == (1, "BrokerUnreachable")
