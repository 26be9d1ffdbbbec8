"""A process that uses the development broker, as `docreactor up` does, and what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LIMIT_S = 60.0
_ENDING_S = 1.0
PROGRAM = """
import signal, sys
from pathlib import Path
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.resolution import use_broker
from docreactor.pipeline.settings import Settings

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    with use_broker(Settings(data=Path(sys.argv[1])), profile=Profile.FAST) as broker:
        sys.stdout.write(broker.bootstrap_servers + "\\n")
        sys.stdout.flush()
        signal.pause()
except KeyboardInterrupt:
    sys.exit(130)
"""


class BrokerUser:
    """One process that uses the broker of a data directory until it is told to end."""

    def __init__(self, data: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data)], stdout=subprocess.PIPE, text=True
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def address(self) -> str:
        """The address of its broker, once it has one."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def send(self, number: signal.Signals) -> int:
        """Send the signal and wait for the exit code."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        return self._process.wait(LIMIT_S)

    def close(self) -> None:
        """Leave no process and no pipe behind."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(LIMIT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()


def wait_for(condition: Callable[[], bool], *, what: str) -> None:
    """Wait until the condition holds; an assertion when it does not come true."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {LIMIT_S:g} s"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, be it that nobody has asked for its exit code yet.

    Whoever sees its files closed may be a moment ahead of the process's own end.
    """
    deadline = time.monotonic() + _ENDING_S
    while not _has_ended(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return not Path("/proc").is_dir()
    return state == "Z"


def arguments_of(pid: int) -> list[str]:
    """What the process was started with."""
    facts = Path(f"/proc/{pid}/cmdline")
    if facts.exists():
        return facts.read_text().split("\0")
    answer = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], check=True, capture_output=True, text=True
    )
    return answer.stdout.split()
