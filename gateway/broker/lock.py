"""Locks between processes: a file held open and locked, free again when its holder has died."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from docreactor.gateway.broker.progress import Progress, Step
from docreactor.pipeline.errors import BrokerBusyError

POLL_S = 0.02


@contextmanager
def lock(path: Path, *, wait_s: float, progress: Progress) -> Generator[None]:
    """Hold the lock alone. BrokerBusy when another holds it for longer than the wait."""
    deadline = time.monotonic() + wait_s
    descriptor = os.open(_parent_made(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise BrokerBusyError(str(path), waited_s=wait_s)
            progress(Step("Waiting for another start of the broker"))
            time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock an open file, if no other open file of it is locked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_locked(path: Path) -> int | None:
    """Open the file and lock it until it is closed, by whoever inherits it too.

    None while somebody else holds it.
    """
    descriptor = os.open(_parent_made(path), os.O_RDWR | os.O_CREAT, 0o600)
    if try_lock(descriptor):
        return descriptor
    os.close(descriptor)
    return None


def is_locked(path: Path) -> bool:
    """Whether a living process holds the file's lock."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def _parent_made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
