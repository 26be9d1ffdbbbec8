"""Who uses the development broker."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.users import living_users, sweep_users, user_entered

ENTER = """
import sys
from pathlib import Path
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.users import user_entered
with user_entered(Home(Path(sys.argv[1]))):
    sys.stdout.write("in\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


def test_a_process_counts_for_as_long_as_it_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert living_users(home) == ()
    with user_entered(home), user_entered(home):
        assert living_users(home) == (os.getpid(), os.getpid())
    assert living_users(home) == ()
    assert not list(home.users.iterdir())


def test_a_killed_process_counts_no_more_and_is_swept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    command = [sys.executable, "-c", ENTER, str(tmp_path)]
    pipe = subprocess.PIPE
    with user_entered(home), subprocess.Popen(command, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"in\n"
        assert sorted(living_users(home)) == sorted((os.getpid(), other.pid))
        other.kill()
        other.wait()
        assert living_users(home) == (os.getpid(),)
        assert len(list(home.users.iterdir())) == 2
        sweep_users(home)
        assert len(list(home.users.iterdir())) == 1
