"""The development broker of one data directory."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from docreactor.gateway.broker.development import (
    home_of,
    reset_broker,
    shared_broker,
    start_broker,
    stop_broker,
)
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Step, silent
from docreactor.gateway.broker.runtime import Runtime
from docreactor.gateway.broker.server import Server, recorded_server
from docreactor.gateway.broker.users import living_users
from docreactor.pipeline.errors import BrokerInUseError
from docreactor.pipeline.settings import Settings
from tests.support.broker_user import BrokerUser, is_gone, wait_for

pytestmark = pytest.mark.usefixtures("broker_runtime")


@pytest.fixture
def settings(tmp_path: Path) -> Generator[Settings]:
    settings = Settings(data=tmp_path)
    try:
        yield settings
    finally:
        stop_broker(settings, force=True, progress=silent)


@pytest.fixture
def user(settings: Settings) -> Generator[Callable[[], BrokerUser]]:
    """Starts a process that uses the broker of the settings."""
    with ExitStack() as users:

        def start() -> BrokerUser:
            started = BrokerUser(settings.data)
            users.callback(started.close)
            return started

        yield start


def running(settings: Settings) -> Server | None:
    return recorded_server(home_of(settings))


def test_a_started_broker_stays_until_it_is_stopped(settings: Settings) -> None:
    steps: list[Step] = []
    server = start_broker(settings, profile=Profile.FAST, progress=steps.append)
    assert Step("Starting Apache Kafka") in steps
    assert start_broker(settings, profile=Profile.SAFE, progress=silent) == server
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as shared:
        assert shared == server
        with pytest.raises(BrokerInUseError, match="--force"):
            stop_broker(settings, force=False, progress=silent)
    assert running(settings) == server
    assert stop_broker(settings, force=False, progress=silent) == server
    assert is_gone(server.pid)
    assert stop_broker(settings, force=False, progress=silent) is None


def test_a_broker_in_use_that_is_started_to_stay_stays(settings: Settings) -> None:
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as server:
        assert not server.kept
        kept = start_broker(settings, profile=Profile.FAST, progress=silent)
        assert kept.pid == server.pid
        assert kept.kept
    assert running(settings) == kept


def test_reset_wipes_the_data_but_not_under_a_user(settings: Settings) -> None:
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as server:
        with pytest.raises(BrokerInUseError):
            reset_broker(settings, force=False, progress=silent)
        assert home_of(settings).data.exists()
        reset_broker(settings, force=True, progress=silent)
        assert is_gone(server.pid)
        assert not home_of(settings).data.exists()
    reset_broker(settings, force=False, progress=silent)


def test_nothing_is_made_where_there_is_nothing_to_stop(settings: Settings) -> None:
    assert stop_broker(settings, force=False, progress=silent) is None
    reset_broker(settings, force=False, progress=silent)
    assert not home_of(settings).directory.exists()


def test_two_that_start_at_once_share_a_broker_that_the_last_one_stops(
    settings: Settings, user: Callable[[], BrokerUser]
) -> None:
    first, second = user(), user()
    assert first.address() == second.address() != ""
    server = running(settings)
    assert server is not None
    assert sorted(living_users(home_of(settings))) == sorted((first.pid, second.pid))

    assert first.send(signal.SIGTERM) == 0
    assert running(settings) == server
    assert second.send(signal.SIGINT) == 130
    assert is_gone(server.pid)
    assert running(settings) is None


def test_a_broker_left_by_a_killed_user_serves_the_next_which_stops_it(
    settings: Settings, user: Callable[[], BrokerUser]
) -> None:
    killed = user()
    address = killed.address()
    killed.send(signal.SIGKILL)
    server = running(settings)
    assert server is not None
    assert not is_gone(server.pid)

    with shared_broker(settings, profile=Profile.FAST, progress=silent) as shared:
        assert shared == server
        assert shared.address == address
    assert is_gone(server.pid)


def test_a_start_that_was_killed_half_way_is_finished_by_the_next(
    settings: Settings, user: Callable[[], BrokerUser]
) -> None:
    killed = user()
    wait_for(lambda: running(settings) is not None, what="a process on record")
    server = running(settings)
    killed.send(signal.SIGKILL)
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as shared:
        assert shared == server


def test_a_start_that_is_interrupted_leaves_nothing_running(
    settings: Settings, user: Callable[[], BrokerUser]
) -> None:
    interrupted = user()
    wait_for(lambda: running(settings) is not None, what="a process on record")
    server = running(settings)
    assert server is not None
    assert interrupted.send(signal.SIGINT) == 130
    assert is_gone(server.pid)


def test_a_broker_that_died_in_use_is_started_again_where_it_was(
    settings: Settings, broker_runtime: Runtime
) -> None:
    with shared_broker(settings, profile=Profile.FAST, progress=silent) as first:
        stop_broker(settings, force=True, progress=silent)
        with shared_broker(settings, profile=Profile.FAST, progress=silent) as second:
            assert second.pid != first.pid
            assert second.address == first.address
        assert running(settings) == second
    assert running(settings) is None
