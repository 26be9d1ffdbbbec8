"""The demo's own `docreactor up`: a child process, started, awaited and ended."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.development import stop_broker
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.demo.interrupt import interrupted_afterwards
from docreactor.pipeline.errors import DeploymentDidNotStartError
from docreactor.pipeline.settings import Settings

MODELS = "docreactor.examples.files"
START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0
_ASK_AGAIN_S = 0.05
_LAST_WORDS = 12
_UP = (sys.executable, "-P", "-c", "from docreactor.gateway.cli import main; main()", "up")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started, and where. A development broker lives in the same directory."""

    app: str
    data: Path
    port: int
    workers: int

    @property
    def command(self) -> Sequence[str]:
        """What starts it."""
        options = {
            "--models": MODELS,
            "--app": self.app,
            "--data": str(self.data),
            "--port": str(self.port),
            "--workers": str(self.workers),
        }
        return [*_UP, *(f"{name}={text}" for name, text in options.items()), "--json"]

    @property
    def environment(self) -> dict[str, str]:
        """The broker that it starts is its own, and goes with its directory."""
        return {**os.environ, "DOCREACTOR_DATA": str(self.data)}


@dataclass(frozen=True, slots=True)
class Child:
    """A deployment that answers. `pid` is the process whose end ends all of it."""

    pid: int
    announcement: Announcement


@contextmanager
def child(plan: Plan, *, keep: bool) -> Generator[Child]:
    """The deployment, ended with the block; with `keep` only when the block fails."""
    plan.data.mkdir(parents=True, exist_ok=True)
    line, journal = plan.data / "up.json", plan.data / "up.log"
    process: subprocess.Popen[bytes] | None = None
    try:
        with (
            line.open("wb") as output,
            journal.open("wb") as complaints,
            interrupted_afterwards(),
        ):
            # A session of its own: Ctrl-C reaches the demo, which ends the deployment in order.
            process = subprocess.Popen(
                plan.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=complaints,
                env=plan.environment,
                start_new_session=True,
            )
        yield Child(process.pid, _announced(process, line, journal))
    except BaseException:
        if process is not None:
            _end(process, plan)
        raise
    if not keep:
        _end(process, plan)


def how_to_end(plan: Plan, pid: int) -> str:
    """The line for a shell that ends a deployment that was kept, and removes what it held."""
    gone = f"while kill -0 {pid} 2>/dev/null; do sleep 0.1; done"
    return f"kill {pid}; {gone}; rm -r {shlex.quote(str(plan.data))}"


def _announced(process: subprocess.Popen[bytes], line: Path, journal: Path) -> Announcement:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (said := line.read_bytes()).endswith(b"\n"):
        if (code := process.poll()) is not None:
            raise DeploymentDidNotStartError(f"ended with code {code}", said=last_words(journal))
        if time.monotonic() > deadline:
            reason = f"was not ready after {START_TIMEOUT_S:g} s"
            raise DeploymentDidNotStartError(reason, said=last_words(journal))
        time.sleep(_ASK_AGAIN_S)
    return Announcement.parse(said)


def last_words(journal: Path) -> str:
    """The error that a process ended with, as its journal tells it, or else the journal's end."""
    lines = journal.read_bytes().splitlines()
    for line in reversed(lines):
        facts = _facts(line)
        if facts.get("level") == "critical":
            return f"{facts.get('error')}: {facts.get('detail')}"
    return b"\n".join(lines[-_LAST_WORDS:]).decode(errors="replace")


def _facts(line: bytes) -> dict[str, Any]:
    try:
        facts = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    return facts if isinstance(facts, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _end(process: subprocess.Popen[bytes], plan: Plan) -> None:
    """In order, or at last by force; workers end with it, as their supervisor."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.returncode < 0 and "DOCREACTOR_BROKER" not in os.environ:
        stop_broker(Settings(data=plan.data), force=True, progress=silent)
