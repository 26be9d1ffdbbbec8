"""The Faust app around a process's parts: signals, the order of start and stop, dead letters."""

# Parts of Faust's public names carry no types.
# pyright: basic
from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.app import BootStrategy
from mode.types import ServiceT
from prometheus_client import CollectorRegistry, Counter

from docreactor.agents.log.connection import Connection
from docreactor.agents.part import Part
from docreactor.agents.watchdog import watched
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics

_log = structlog.get_logger(__name__)


class Order(BootStrategy):
    """Our parts start first and stop last.

    Faust starts an `@app.service` when its own group has been joined, a second later, and needs
    a broker for that. Ours serve before, and say so when there is none.
    """

    def server(self) -> Iterable[ServiceT]:
        """Every service of the app, in the order of start."""
        assert isinstance(self.app, Shell)
        return chain(self.app.parts, super().server())


class Shell(faust.App):
    """A Faust app with parts. Its id, and so its consumer group, is `<app>-shell`."""

    BootStrategy = Order
    logger = logging.getLogger("faust.shell")
    parts: Sequence[Part] = ()


class ShellWorker(faust.Worker):
    """Faust's worker, with one stop for all who ask for it."""

    _stop: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """Stop everything in order; returns when it has stopped, to every caller."""
        if self._stop is None:
            self._stop = asyncio.create_task(super().stop())
        await asyncio.shield(self._stop)


def make_shell(
    settings: Settings,
    connection: Connection,
    *,
    home: Path,
    registry: CollectorRegistry,
    parts: Sequence[Part],
) -> Shell:
    """The app of one process, which starts its parts in this order and leaves the first first."""
    shell = Shell(
        f"{settings.app}-shell",
        # Other programs' settings of their Faust, in the environment, would override ours.
        env={},
        broker=[f"kafka://{server}" for server in connection.bootstrap_servers.split(",")],
        broker_client_id=settings.app,
        broker_credentials=_credentials(connection),
        broker_heartbeat_interval=settings.session_timeout_ms / 3_000,
        broker_rebalance_timeout=settings.rebalance_timeout_ms / 1_000,
        broker_session_timeout=settings.session_timeout_ms / 1_000,
        consumer_max_fetch_size=settings.record_bytes_max,
        datadir=home / "faust",
        store="memory://",
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    shell.parts = parts

    @shell.on_before_shutdown.connect
    async def leave_first(*_: Any, **__: Any) -> None:
        await parts[0].leave()

    _tell_dead_letters(shell, Topics(settings.app), registry)
    return shell


async def run_shell(shell: Shell, *, stall_max_s: float) -> None:
    """Run until SIGINT or SIGTERM, or until a part ends by an error, which is raised."""
    worker = ShellWorker(
        shell,
        loop=asyncio.get_running_loop(),
        override_logging=False,
        quiet=True,
        redirect_stdouts=False,
        stdout=sys.stderr,
    )
    worker.spinner = None
    try:
        with watched(stall_max_s):
            await worker.start()
    finally:
        await worker.stop()
    if worker.crash_reason is not None:
        raise worker.crash_reason


def _tell_dead_letters(shell: Shell, topics: Topics, registry: CollectorRegistry) -> None:
    """Faust's own agent: one process of the deployment tells of each refused record.

    At least once, and of one whose transaction was aborted too: that job is run again.
    """
    topic = shell.topic(topics.dead_letters, key_serializer="raw", value_serializer="raw")
    told = Counter(
        "docreactor_dead_letters_told",
        "Dead letters told of, by cause.",
        ["cause"],
        registry=registry,
    )

    @shell.agent(topic, name="dead-letters")
    async def tell(letters: faust.StreamT[bytes]) -> None:
        # An async generator, declared as a coroutine that returns one.
        async for letter in letters.events():  # pyright: ignore[reportGeneralTypeIssues]
            facts = {name: value.decode(errors="replace") for name, value in letter.headers.items()}
            told.labels(facts.get("cause", "unknown")).inc()
            _log.warning(
                "a record was dead-lettered",
                partition=letter.message.partition,
                offset=letter.message.offset,
                **{name.replace("-", "_"): value for name, value in facts.items()},
            )


def _credentials(connection: Connection) -> faust.auth.Credentials | None:
    """The same TLS and SASL as every other client of this process."""
    arguments = connection.arguments
    context = arguments.get("ssl_context")
    if "sasl_mechanism" in arguments:
        return faust.SASLCredentials(
            username=arguments["sasl_plain_username"],
            password=arguments["sasl_plain_password"],
            ssl_context=context,
            mechanism=arguments["sasl_mechanism"],
        )
    return faust.SSLCredentials(context) if context is not None else None
