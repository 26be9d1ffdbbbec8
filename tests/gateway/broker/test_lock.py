"""Locks between processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docreactor.gateway.broker.lock import is_locked, lock, open_locked
from docreactor.gateway.broker.progress import Step, silent
from docreactor.pipeline.errors import BrokerBusyError

HOLDER = """
import sys
from pathlib import Path
from docreactor.gateway.broker.lock import open_locked
open_locked(Path(sys.argv[1]))
sys.stdout.write("held\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def test_a_lock_that_another_holds_is_waited_for_and_then_named(tmp_path: Path) -> None:
    steps: list[Step] = []
    with (
        lock(tmp_path / "lock", wait_s=1, progress=silent),
        pytest.raises(BrokerBusyError, match=r"lock for 0\.05 s"),
        lock(tmp_path / "lock", wait_s=0.05, progress=steps.append),
    ):
        pass
    assert steps
    with lock(tmp_path / "lock", wait_s=0, progress=silent):
        assert is_locked(tmp_path / "lock")


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(path)
        assert open_locked(path) is None
        holder.kill()
    assert not is_locked(path)


def test_a_lock_belongs_to_the_child_that_inherited_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    descriptor = open_locked(path)
    assert descriptor is not None
    command = ["/bin/sh", "-c", "read -r line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(descriptor,)) as child:
        os.close(descriptor)
        assert is_locked(path)
        assert child.stdin is not None
        child.stdin.close()
    assert not is_locked(path)


def test_a_lock_that_was_never_made_is_held_by_nobody(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "none")
