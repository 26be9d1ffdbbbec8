"""One Kafka for all the processes of a test run, started by the first that needs it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from docreactor.gateway.broker.development import start_broker
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import is_locked, lock, open_locked
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.broker.resolution import parse_addresses
from docreactor.gateway.broker.server import kill, recorded_server
from docreactor.pipeline.settings import Settings
from tests.support.container import (
    docker_answers,
    recorded_container,
    remove_container,
    start_container,
)

PREFIX = "docreactor-kafka-"
START_WAIT_S = 900.0


class SharedKafka:
    """Where the brokers of one test run live, the shared one and those of single tests.

    The pytest process that the user started owns the directory and ends everything in it;
    workers, which may crash, only start things there.
    """

    def __init__(self, directory: Path, choice: str) -> None:
        self.directory = directory
        self._choice = choice

    def address(self) -> str:
        """The address of the shared Kafka; the first call of the run starts it."""
        if self._choice not in ("auto", "local", "testcontainers"):
            parse_addresses(self._choice)
            return self._choice
        with lock(self.directory / "start", wait_s=START_WAIT_S, progress=silent):
            if address := recorded_container(self.directory):
                return address
            if self._wants_container():
                return start_container(self.directory)
            settings = Settings(data=self.directory)
            return start_broker(settings, profile=Profile.FAST, progress=silent).address

    def _wants_container(self) -> bool:
        if self._choice == "auto":
            runs = recorded_server(Home(self.directory / "broker")) is not None
            return not runs and docker_answers()
        return self._choice == "testcontainers"

    def directory_of_own(self) -> Path:
        """A place for a broker of one test's own."""
        return Path(tempfile.mkdtemp(prefix="own-", dir=self.directory))


class RunDirectory:
    """The owner's side: made when pytest starts, emptied of brokers and removed when it ends."""

    def __init__(self) -> None:
        sweep_dead_runs()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._owner = open_locked(self.path / "owner")

    def close(self) -> None:
        end_everything(self.path)
        if self._owner is not None:
            os.close(self._owner)


def sweep_dead_runs() -> None:
    """End what a run killed with -9 could not end itself."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (path / "owner").exists() and not is_locked(path / "owner"):
            end_everything(path)


def end_everything(directory: Path) -> None:
    """Stop every broker that was started under the directory, and remove it."""
    for record in directory.glob("*/server.json"):
        home = Home(record.parent)
        if server := recorded_server(home):
            kill(home, server)
    remove_container(directory)
    shutil.rmtree(directory, ignore_errors=True)
