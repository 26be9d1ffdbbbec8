"""The watchdog, tried on processes of its own."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import asyncio, threading, time
from docreactor.agents.watchdog import watched

async def main():
    with watched(0.5):
        {watched}
    {afterwards}

asyncio.run(main())
"""
BLOCKS = "threading.Event().wait(30)"
TURNS = (
    "ends = time.monotonic() + 1.5\n        while time.monotonic() < ends: await asyncio.sleep(0)"
)
HANGS = "await asyncio.wait_for(asyncio.Event().wait(), 30)"
DOES_NOTHING = "pass"


def run(watched: str, afterwards: str = DOES_NOTHING) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(watched=watched, afterwards=afterwards)
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_loop_that_does_not_turn_ends_the_process_and_shows_where_it_hangs() -> None:
    done = run(BLOCKS)

    assert done.returncode == 1
    assert "Timeout" in done.stderr and "in main" in done.stderr


def test_a_loop_that_turns_is_left_alone() -> None:
    done = run(TURNS)

    assert (done.returncode, done.stderr) == (0, "")


def test_an_end_that_takes_too_long_ends_the_process_too() -> None:
    done = run(DOES_NOTHING, afterwards=HANGS)

    assert done.returncode == 1
