"""What can be said of the broker without touching it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from docreactor.gateway.broker.development import home_of, shared_broker, stop_broker
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import silent
from docreactor.gateway.broker.status import State, broker_status
from docreactor.pipeline.settings import Settings
from tests.support.broker_user import BrokerUser


def test_where_nothing_ever_ran_the_status_says_so_and_makes_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    status = broker_status(settings)
    assert status.state is State.STOPPED
    assert status.bootstrap_servers is None
    assert status.data_bytes == 0
    assert not home_of(settings).directory.exists()


def test_a_named_kafka_is_external(tmp_path: Path) -> None:
    status = broker_status(Settings(data=tmp_path, broker="kafka:9092"))
    assert (status.state, status.bootstrap_servers) == (State.EXTERNAL, "kafka:9092")


@pytest.mark.usefixtures("broker_runtime")
def test_a_broker_in_use_names_its_address_and_its_users(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as server:
        status = broker_status(settings)
        assert status.state is State.RUNNING
        assert status.bootstrap_servers == server.address
        assert status.pid == server.pid
        assert status.users == (os.getpid(),)
        assert status.data_bytes > 0
    stopped = broker_status(settings)
    assert (stopped.state, stopped.users) == (State.STOPPED, ())


@pytest.mark.usefixtures("broker_runtime")
def test_a_broker_whose_users_were_killed_is_left_over(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    user = BrokerUser(tmp_path)
    try:
        user.address()
        user.send(signal.SIGKILL)
        assert broker_status(settings).state is State.LEFT_OVER
    finally:
        user.close()
        stop_broker(settings, force=True, progress=silent)
