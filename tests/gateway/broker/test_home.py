"""Where one broker lives."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.broker.home import Home


def test_everything_of_a_broker_lies_in_its_own_directory(tmp_path: Path) -> None:
    home = Home(tmp_path)
    paths = [home.data, home.log, home.previous_log, home.output, home.settings, home.log_settings]
    paths += [home.alive, home.record, home.lock, home.users]
    assert len(set(paths)) == len(paths)
    assert all(path.parent == tmp_path for path in paths)
