"""A Kafka of one test's own, to be stopped, killed, frozen and brought back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from docreactor.gateway.broker.archive import archive_flags
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.broker.runtime import Runtime, find_runtime
from docreactor.gateway.broker.server import (
    Server,
    await_ready,
    end,
    kill,
    launch,
    recorded_server,
)
from docreactor.pipeline.settings import Settings


def prepare() -> tuple[Runtime, tuple[str, ...]]:
    """What every start needs: fetched and made once per machine."""
    runtime = find_runtime(Settings().cache, progress=silent)
    return runtime, archive_flags(runtime, progress=silent)


class OwnKafka:
    """One broker over one directory: every start is on the same port and the same data."""

    def __init__(self, directory: Path) -> None:
        self._home = Home(directory)
        self._server: Server | None = None

    @property
    def bootstrap_servers(self) -> str:
        return self._running.address

    @property
    def directory(self) -> Path:
        """Where its data lie, segments of logs among them."""
        return self._home.data

    @property
    def pid(self) -> int:
        return self._running.pid

    def start(self) -> None:
        """Boot, or boot again; returns when the broker takes requests."""
        port = self._server.port if self._server else None
        runtime, flags = prepare()
        self._server = launch(self._home, runtime, profile=Profile.FAST, flags=flags, kept=True)
        await_ready(self._home, self._server, progress=silent)
        assert port in (None, self._server.port), "the port was taken while the broker was down"

    def stop(self) -> None:
        """End it in order."""
        end(self._home, self._running)

    def kill(self) -> None:
        """End it as kill -9 does."""
        kill(self._home, self._running)

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after a pause."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """Leave nothing running, whatever the test has done."""
        if server := recorded_server(self._home):
            kill(self._home, server)

    @property
    def _running(self) -> Server:
        assert self._server is not None, "start it first"
        return self._server
