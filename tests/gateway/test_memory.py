"""How a worker's memory is collected and handed back."""

from __future__ import annotations

import platform
import subprocess
import sys

from docreactor.gateway.memory import hand_memory_back

SCRIPT = """
import resource
from docreactor.gateway.memory import hand_memory_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

hand_memory_back()
kept, before = [], resident()
for _ in range(50):
    batch = [bytes(1024 * 1024) for _ in range(20)]
    kept.append(bytes(2_000))
    del batch
print(resident() - before)
"""


def test_what_a_start_has_made_is_not_looked_at_again() -> None:
    script = (
        "import gc; from docreactor.gateway.memory import collect_rarely; "
        "collect_rarely(); print(gc.get_freeze_count() > 0, gc.get_threshold()[0] > 700)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]


def test_glibc_takes_the_settings_and_others_are_left_alone() -> None:
    assert hand_memory_back() is (platform.libc_ver()[0] == "glibc")


def test_what_batches_have_taken_is_given_back() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 4 * 1024 * 1024
