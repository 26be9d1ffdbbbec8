"""Which Kafka is used."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from docreactor.gateway.broker.development import home_of, start_broker, stop_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.broker.resolution import (
    UNREACHABLE_AFTER_S,
    Broker,
    await_connection,
    parse_addresses,
    use_broker,
)
from docreactor.pipeline.errors import BrokerUnreachableError, InvalidInputError
from docreactor.pipeline.settings import Settings


@pytest.fixture
def listening() -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def refused() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_named_kafka_goes_first_and_nothing_is_started(tmp_path: Path, listening: str) -> None:
    settings = Settings(data=tmp_path, broker=listening)
    with use_broker(settings) as broker:
        assert broker == Broker(listening, None)
    assert not home_of(settings).directory.exists()


@pytest.mark.usefixtures("broker_runtime")
def test_a_running_development_broker_goes_before_a_new_one(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    server = start_broker(settings, profile=Profile.FAST, progress=silent)
    try:
        with use_broker(settings) as broker:
            assert broker == Broker(server.address, server)
    finally:
        stop_broker(settings, force=True, progress=silent)


@pytest.mark.usefixtures("broker_runtime")
def test_with_neither_one_is_started_here_and_data_is_safe_by_default(tmp_path: Path) -> None:
    with use_broker(Settings(data=tmp_path)) as broker:
        assert broker.server is not None
        assert broker.server.profile is Profile.SAFE
        assert not broker.server.kept


def test_a_named_kafka_that_does_not_answer_is_named_within_its_time(refused: str) -> None:
    assert UNREACHABLE_AFTER_S == 15
    began = time.monotonic()
    with pytest.raises(BrokerUnreachableError, match=rf"{refused} after 0\.3 s"):
        await_connection(refused, wait_s=0.3, progress=silent)
    assert time.monotonic() - began < 3


def test_one_address_that_answers_is_enough(refused: str, listening: str) -> None:
    await_connection(f"{refused},{listening}", wait_s=5, progress=silent)


def test_addresses_may_be_names_and_bracketed_numbers() -> None:
    found = parse_addresses("kafka-1.example:9092, [::1]:9093")
    assert found == (("kafka-1.example", 9092), ("::1", 9093))


@pytest.mark.parametrize("text", ["kafka", "kafka:", ":9092", "kafka:x", "kafka:70000", "a:1,,b:2"])
def test_an_address_without_host_or_port_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"DOCREACTOR_BROKER: .* is not host:port"):
        parse_addresses(text)
