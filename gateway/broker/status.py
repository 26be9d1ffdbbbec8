"""What can be said of the broker without touching it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from docreactor.gateway.broker.development import home_of
from docreactor.gateway.broker.jars import KAFKA_VERSION
from docreactor.gateway.broker.server import Server, is_ready, recorded_server
from docreactor.gateway.broker.users import living_users
from docreactor.pipeline.settings import Settings


class State(StrEnum):
    """Where the broker stands."""

    EXTERNAL = "external"
    """DOCREACTOR_BROKER names one: no development broker is used."""
    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    LEFT_OVER = "left-over"
    """Runs, nobody uses it, nobody asked that it stay: the next command uses or stops it."""


@dataclass(frozen=True, slots=True)
class Status:
    """One look at the broker that these settings lead to."""

    state: State
    bootstrap_servers: str | None
    kafka: str
    pid: int | None
    profile: str | None
    java: str | None
    started_at: str | None
    kept: bool
    users: tuple[int, ...]
    data: str
    data_bytes: int
    log: str


def broker_status(settings: Settings) -> Status:
    """Look, and change nothing."""
    home = home_of(settings)
    server = recorded_server(home)
    users = living_users(home)
    ready = server is not None and is_ready(home, server)
    return Status(
        state=_state(settings, server, ready=ready, used=bool(users)),
        bootstrap_servers=settings.broker or (server.address if server else None),
        kafka=KAFKA_VERSION,
        pid=server.pid if server else None,
        profile=server.profile if server else None,
        java=server.java if server else None,
        started_at=server.started_at if server else None,
        kept=server.kept if server else False,
        users=users,
        data=str(home.data),
        data_bytes=_bytes_in(home.data),
        log=str(home.log),
    )


def _state(settings: Settings, server: Server | None, *, ready: bool, used: bool) -> State:
    if settings.broker is not None:
        return State.EXTERNAL
    if server is None:
        return State.STOPPED
    if not ready:
        return State.STARTING
    return State.RUNNING if used or server.kept else State.LEFT_OVER


def _bytes_in(directory: Path) -> int:
    """What the files take on the disk: Kafka's index files are mostly holes."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total
