"""How a command in the foreground is told to stop, tried on processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SCRIPT = """
import asyncio, sys, threading
from docreactor.gateway.stopping import run_stoppable, stoppable

def say(word):
    sys.stdout.write(word + "\\n")
    sys.stdout.flush()

async def work():
    try:
        say("begun")
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        say("left the loop")

def block():
    say("begun")
    threading.Event().wait()

with stoppable():
    try:
        {body}
    finally:
        say("unwinding")
        sys.stdin.readline()
        say("unwound")
say("ended")
"""
IN_A_LOOP = "run_stoppable(work())"
OUTSIDE_A_LOOP = "block()"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def running(body: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SCRIPT.format(body=body)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert said(process) == "begun"
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def let_it_unwind(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate("go\n", timeout=30)
    return out.split("\n")[:-1]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_cancels_what_runs_in_a_loop_and_is_no_failure(number: signal.Signals) -> None:
    with running(IN_A_LOOP) as process:
        process.send_signal(number)

        assert let_it_unwind(process) == ["left the loop", "unwinding", "unwound", "ended"]
        assert process.returncode == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_interrupts_what_runs_outside_of_a_loop(number: signal.Signals) -> None:
    with running(OUTSIDE_A_LOOP) as process:
        process.send_signal(number)

        assert let_it_unwind(process) == ["unwinding", "unwound", "ended"]
        assert process.returncode == 0


@pytest.mark.parametrize("body", [IN_A_LOOP, OUTSIDE_A_LOOP])
def test_whoever_unwinds_is_left_in_peace(body: str) -> None:
    with running(body) as process:
        process.send_signal(signal.SIGINT)
        while said(process) != "unwinding":
            continue
        for number in SIGNALS:
            process.send_signal(number)

        assert let_it_unwind(process) == ["unwound", "ended"]
        assert process.returncode == 0
