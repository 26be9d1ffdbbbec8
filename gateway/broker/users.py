"""Who uses the development broker: a file per user, locked for as long as its process lives."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import is_locked, try_lock


@contextmanager
def user_entered(home: Home) -> Generator[None]:
    """Count this process among the users; a killed one stops counting by itself.

    Entering and leaving belong under the home's lock, or a sweep may take the file away.
    """
    home.users.mkdir(parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=f"{os.getpid()}-", dir=home.users)
    try_lock(descriptor)
    try:
        yield
    finally:
        Path(path).unlink(missing_ok=True)
        os.close(descriptor)


def living_users(home: Home) -> tuple[int, ...]:
    """The process ids of the users that live, one for each use."""
    return tuple(_pid(path) for path in _files(home) if is_locked(path))


def sweep_users(home: Home) -> None:
    """Drop the files of users that have died. Only under the home's lock."""
    for path in _files(home):
        if not is_locked(path):
            path.unlink(missing_ok=True)


def _files(home: Home) -> list[Path]:
    return sorted(home.users.iterdir()) if home.users.is_dir() else []


def _pid(path: Path) -> int:
    return int(path.name.partition("-")[0])
