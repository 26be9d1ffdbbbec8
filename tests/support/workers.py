"""Real worker processes of the product, to be stopped, killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

LEDGER = Path(__file__).with_name("ledger.py")
_LIMIT_S = 60.0


@dataclass(slots=True)
class WorkerProcess:
    """One `docreactor worker`, over a data directory that outlives it."""

    app: str
    broker: str
    data: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    url: str = ""
    program: Sequence[str] = ("-m", "docreactor.gateway.cli")
    models: str = f"{LEDGER}:ledger"
    options: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; `await_ready` says when it serves."""
        self.data.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, *self.program, "worker", "--json"]
        command += ["--app", self.app, "--data", str(self.data), "--port", str(self.port)]
        command += ["--models", self.models, *self.options]
        environment = os.environ | {"DOCREACTOR_BROKER": self.broker} | dict(self.environment)
        with (
            (self.data / "worker.out").open("ab") as out,
            (self.data / "worker.err").open("ab") as err,
        ):
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, env=environment, cwd=self.data
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self.process is not None, "start it first"
        return self.process.pid

    def log(self) -> str:
        """What the worker has said on stderr."""
        return (self.data / "worker.err").read_text(errors="replace")

    async def await_ready(self) -> str:
        """Its URL, once it serves every partition that it was given."""
        path = self.data / "worker.out"
        async with asyncio.timeout(_LIMIT_S):
            while True:
                lines = path.read_bytes().splitlines()
                ready = [line for line in lines if self._is_mine(line)]
                if ready:
                    self.url = str(orjson.loads(ready[-1])["url"])
                    return self.url
                if self.process is not None and self.process.poll() is not None:
                    raise AssertionError(f"the worker ended: {self.log()[-3000:]}")
                await asyncio.sleep(0.05)

    def _is_mine(self, line: bytes) -> bool:
        return line.startswith(b"{") and self.pid in orjson.loads(line)["pids"]

    def kill(self) -> None:
        """End it as kill -9 does, also while it is frozen."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """Stop it where it stands."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """End it in order; returns its exit code."""
        assert self.process is not None, "start it first"
        self.process.terminate()
        return self.process.wait(timeout=_LIMIT_S)

    async def ended(self) -> int:
        """Wait until the process ends by itself; returns its exit code."""
        assert self.process is not None, "start it first"
        async with asyncio.timeout(_LIMIT_S):
            while (code := self.process.poll()) is None:  # noqa: ASYNC110  a process tells nobody
                await asyncio.sleep(0.05)
            return code


async def positions(url: str) -> list[dict[str, Any]]:
    """What a node says of every reducer and read model."""
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"{url}/v1/positions")
        return list(reply.json()["positions"])
