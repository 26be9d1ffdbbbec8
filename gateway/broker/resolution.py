"""Which Kafka is used: the one named, the one that runs, or one started here."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from docreactor.gateway.broker.development import shared_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Progress, Step, silent
from docreactor.gateway.broker.server import CONNECT_TIMEOUT_S, Server, answers
from docreactor.pipeline.errors import BrokerUnreachableError, InvalidInputError
from docreactor.pipeline.settings import Settings

UNREACHABLE_AFTER_S = 15.0
ASK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Broker:
    """The Kafka to use. `server` is the development broker's process, None for another Kafka."""

    bootstrap_servers: str
    server: Server | None


@contextmanager
def use_broker(
    settings: Settings, *, profile: Profile = Profile.SAFE, progress: Progress = silent
) -> Generator[Broker]:
    """The first that fits: settings.broker, a running development broker, one started here.

    A named Kafka that takes no connection is BrokerUnreachable within 15 s. A development
    broker stops with its last user, unless it was started to stay.
    """
    if settings.broker is not None:
        await_connection(settings.broker, wait_s=UNREACHABLE_AFTER_S, progress=progress)
        yield Broker(settings.broker, None)
        return
    with shared_broker(settings, profile=profile, progress=progress) as server:
        yield Broker(server.address, server)


def await_connection(bootstrap_servers: str, *, wait_s: float, progress: Progress) -> None:
    """Wait until one of the addresses takes a TCP connection, or BrokerUnreachable."""
    addresses = parse_addresses(bootstrap_servers)
    deadline = time.monotonic() + wait_s
    while True:
        progress(Step(f"Connecting to {bootstrap_servers}"))
        for host, port in addresses:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise BrokerUnreachableError(bootstrap_servers, waited_s=wait_s)
            if answers(host, port, timeout_s=min(CONNECT_TIMEOUT_S, left_s)):
                return
        time.sleep(ASK_AGAIN_S)


def parse_addresses(bootstrap_servers: str) -> tuple[tuple[str, int], ...]:
    """The hosts and ports of `host:port,[::1]:port`, or InvalidInput."""
    return tuple(_parse_address(address.strip()) for address in bootstrap_servers.split(","))


def _parse_address(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise InvalidInputError("DOCREACTOR_BROKER", f"{address!r} is not host:port")
    return host.strip("[]"), int(port)
