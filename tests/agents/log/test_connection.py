"""How a Kafka is reached follows from the settings, and what cannot work is named."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, TransactionalIdAuthorizationFailed
from pydantic import SecretStr

from docreactor.agents.log.connection import connect, connection_to
from docreactor.pipeline.errors import InvalidInputError, LogError
from docreactor.pipeline.settings import Settings


def test_a_plain_connection_needs_an_address_only() -> None:
    connection = connection_to("here:1", Settings(app="a"))

    assert connection.arguments == {
        "bootstrap_servers": "here:1",
        "client_id": "a",
        "security_protocol": "PLAINTEXT",
    }


def test_tls_checks_the_brokers_name() -> None:
    connection = connection_to("here:1", Settings(broker_security_protocol="SSL"))

    context = connection.arguments["ssl_context"]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_sasl_takes_name_and_password() -> None:
    settings = Settings(
        broker_security_protocol="SASL_PLAINTEXT",
        broker_sasl_mechanism="SCRAM-SHA-256",
        broker_username="alice",
        broker_password=SecretStr("secret"),
    )

    arguments = connection_to("here:1", settings).arguments

    assert arguments["sasl_mechanism"] == "SCRAM-SHA-256"
    assert arguments["sasl_plain_username"] == "alice"
    assert arguments["sasl_plain_password"] == "secret"
    assert "ssl_context" not in arguments


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(broker_security_protocol="TLS"), "broker_security_protocol"),
        (Settings(broker_security_protocol="SASL_SSL"), "broker_username"),
        (
            Settings(broker_security_protocol="SSL", broker_ca_file=Path("nowhere.pem")),
            "broker_ca_file",
        ),
    ],
)
def test_what_cannot_work_names_its_setting(settings: Settings, named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        connection_to("here:1", settings)


async def test_connecting_is_tried_until_somebody_answers() -> None:
    answers = iter([KafkaConnectionError(), KafkaConnectionError(), None])

    async def start() -> None:
        if error := next(answers):
            raise error

    await connect(start, "starting", timeout_s=10)

    assert list(answers) == []


async def test_connecting_outlasts_a_moment_in_which_no_broker_is_known() -> None:
    tries = 0

    async def start() -> None:
        nonlocal tries
        tries += 1
        assert tries > 2, "Did we not perform bootstrap?"

    await connect(start, "opening", timeout_s=10.0)
    assert tries == 3


async def test_connecting_is_given_up_at_once_where_trying_is_no_use() -> None:
    async def start() -> None:
        raise TransactionalIdAuthorizationFailed

    with pytest.raises(LogError, match="starting failed"):
        await connect(start, "starting", timeout_s=60)


async def test_connecting_is_given_up_after_its_time() -> None:
    async def start() -> None:
        raise KafkaConnectionError

    with pytest.raises(LogError, match="starting took too long"):
        await connect(start, "starting", timeout_s=0.01)
