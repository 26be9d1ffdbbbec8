"""Processes that announce and end as workers do, without a Kafka."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from docreactor.gateway.worker_process import WorkerPlan

ANNOUNCES = """
import json, os, sys, threading
port = int(sys.argv[-1]) or 4711
facts = {"url": f"http://127.0.0.1:{port}", "urls": [], "app": "a", "data": "d", "broker": "b"}
print(facts["url"])
print(json.dumps(facts | {"pids": [os.getpid()]}), flush=True)
"""
LIVES = ANNOUNCES + "sys.stdin.read()"
REFUSES_TO_STOP = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    + ANNOUNCES
    + "sys.stdin.read()"
)
DIES = """
import json, sys
line = {"event": "ended", "level": "critical", "error": "Fenced", "detail": "taken over"}
journal = json.dumps(line, separators=(",", ":"))
print("Traceback of something else", journal, "1", sep="\\n", file=sys.stderr)
sys.exit(1)
"""
STALLS = """
import faulthandler, threading
faulthandler.dump_traceback_later(0.1, exit=True)
threading.Event().wait(30)
"""
DIES_SPEECHLESS = "import sys; sys.exit(3)"


def plan_of(script: str, directory: Path, *, port: int = 0) -> WorkerPlan:
    """A plan whose worker is this script."""
    return WorkerPlan(
        number=1,
        command=(sys.executable, "-c", script),
        environment=dict(os.environ),
        port=port,
        log=directory / "logs" / "worker-1.log",
    )
