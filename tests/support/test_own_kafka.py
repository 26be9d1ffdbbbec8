"""A Kafka of one test's own."""

from __future__ import annotations

import socket

import pytest

from docreactor.gateway.broker.resolution import parse_addresses
from tests.support.broker_user import is_gone
from tests.support.own_kafka import OwnKafka

# The correlation id is seven: what a broker says first in its answer.
API_VERSIONS = bytes.fromhex("0000000a0012000000000007ffff")


def ask(own: OwnKafka, *, timeout_s: float) -> bytes:
    """Ask the broker which requests it knows, and give what it answers first."""
    [address] = parse_addresses(own.bootstrap_servers)
    with socket.create_connection(address, timeout=timeout_s) as connection:
        connection.sendall(API_VERSIONS)
        return connection.recv(8)[4:]


def test_a_broker_of_ones_own_can_be_frozen_stopped_and_brought_back(own_kafka: OwnKafka) -> None:
    address, pid = own_kafka.bootstrap_servers, own_kafka.pid
    own_kafka.pause()
    with pytest.raises(TimeoutError):
        ask(own_kafka, timeout_s=0.2)
    own_kafka.resume()
    assert ask(own_kafka, timeout_s=10) == b"\0\0\0\7"

    own_kafka.stop()
    assert is_gone(pid)
    own_kafka.start()
    assert own_kafka.bootstrap_servers == address
    assert own_kafka.pid != pid
    assert ask(own_kafka, timeout_s=10) == b"\0\0\0\7"
