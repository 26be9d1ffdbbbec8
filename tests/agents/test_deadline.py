"""The bound on one reduce."""

import signal
import subprocess
import sys
import threading
from time import monotonic

import pytest

from docreactor.agents.deadline import Deadline
from docreactor.pipeline.bound import DeadlinePassed


def test_an_endless_loop_is_stopped() -> None:
    with pytest.raises(DeadlinePassed), Deadline(0.05):
        while True:
            pass


def test_code_that_catches_every_exception_is_stopped_too() -> None:
    def stubborn() -> None:
        while True:
            try:
                while True:
                    pass
            except Exception:  # noqa: BLE001, S112  what a careless model would write
                continue

    with pytest.raises(DeadlinePassed), Deadline(0.05):
        stubborn()


def test_when_the_work_has_ended_the_timer_ends_too() -> None:
    with Deadline(0.08):
        pass
    while signal.getitimer(signal.ITIMER_REAL) != (0.0, 0.0):
        signal.pause()


def test_a_process_that_ends_right_after_its_work_ends_well() -> None:
    program = """
import signal, time
from docreactor.agents.deadline import Deadline
class Late:
    def __del__(self, clock=time.monotonic):
        ends_at = clock() + 0.1
        while clock() < ends_at:
            pass
late = Late()
with Deadline(0.08):
    pass
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_each_entry_has_its_own_time() -> None:
    deadline = Deadline(0.2)
    ends_at = monotonic() + 0.5
    while monotonic() < ends_at:
        with deadline:
            pass


def test_a_signal_that_comes_late_hits_nothing() -> None:
    with Deadline(5.0):
        pass
    signal.raise_signal(signal.SIGALRM)


def test_outside_the_main_thread_it_does_nothing() -> None:
    ended: list[bool] = []

    def work() -> None:
        with Deadline(0.001):
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended == [True]
