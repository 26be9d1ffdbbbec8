"""How a Kafka is reached: its address, TLS and SASL, as every aiokafka client takes them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext, create_default_context
from typing import Any

from docreactor.agents.log.failure import RAISED, failing_as, is_moving
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.settings import Settings

_RETRY_S = 0.2
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")


@dataclass(frozen=True, slots=True)
class Connection:
    """The arguments that all clients of one Kafka share."""

    bootstrap_servers: str
    arguments: dict[str, Any]


def connection_to(bootstrap_servers: str, settings: Settings) -> Connection:
    """Read the certificates and check the combination; InvalidInput names the setting."""
    protocol = settings.broker_security_protocol
    if protocol not in _PROTOCOLS:
        raise InvalidInputError("broker_security_protocol", f"must be one of {_PROTOCOLS}")
    arguments: dict[str, Any] = {
        "bootstrap_servers": bootstrap_servers,
        "client_id": settings.app,
        "security_protocol": protocol,
    }
    if protocol.endswith("SSL"):
        arguments["ssl_context"] = _tls(settings)
    if protocol.startswith("SASL"):
        arguments |= _sasl(settings)
    return Connection(bootstrap_servers, arguments)


async def connect(start: Callable[[], Awaitable[None]], doing: str, *, timeout_s: float) -> None:
    """Start a client, again and again while nobody answers, LogError when time is up."""
    with failing_as(doing):
        async with asyncio.timeout(timeout_s):
            while True:
                try:
                    return await start()
                except RAISED as error:
                    if not is_moving(error):
                        raise
                except AssertionError:
                    # By it aiokafka's search for a coordinator ends while no broker is known,
                    # as happens for a moment when one begins to answer again.
                    pass
                await asyncio.sleep(_RETRY_S)


def _tls(settings: Settings) -> SSLContext:
    try:
        context = create_default_context(cafile=settings.broker_ca_file)
        if settings.broker_certificate_file is not None:
            context.load_cert_chain(settings.broker_certificate_file, settings.broker_key_file)
    except OSError as cause:
        raise InvalidInputError(
            "broker_ca_file, broker_certificate_file, broker_key_file", str(cause)
        ) from cause
    return context


def _sasl(settings: Settings) -> dict[str, Any]:
    if settings.broker_username is None or settings.broker_password is None:
        raise InvalidInputError("broker_username, broker_password", "SASL needs both")
    return {
        "sasl_mechanism": settings.broker_sasl_mechanism,
        "sasl_plain_username": settings.broker_username,
        "sasl_plain_password": settings.broker_password.get_secret_value(),
    }
