"""A worker: its node and its front, on a real Kafka, or on none."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from docreactor.agents import worker as worker_module
from docreactor.agents.first_start import has_served, remember_serving
from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.node import Node
from docreactor.agents.topics import create_topics
from docreactor.agents.worker import Worker
from docreactor.pipeline.errors import BrokerUnreachableError, ReactorError, TopicsMissingError
from docreactor.pipeline.registry import load
from docreactor.pipeline.settings import Settings
from tests.support.kafka import Kafka
from tests.support.own_kafka import OwnKafka

NOBODY = "127.0.0.1:1"


@pytest.fixture(autouse=True)
def calm_watchdog() -> Iterator[None]:
    """The watch is armed a last time when a worker ends; here the process goes on."""
    yield
    faulthandler.cancel_dump_traceback_later()


class Window:
    """A front that lets nobody in, and writes down what happens."""

    url = "http://127.0.0.1:1"

    def __init__(self, *, when_told: Callable[[], None] = lambda: None) -> None:
        self.diary: list[str] = []
        self.reasons: list[ReactorError] = []
        self._when_told = when_told

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None]:
        self.diary.append("serves")
        yield
        self.diary.append("serves no more")

    @asynccontextmanager
    async def opened(self, node: Node) -> AsyncGenerator[None]:
        self.diary.append("open")
        yield
        self.diary.append("closed")

    def tell(self, reason: ReactorError) -> None:
        self.reasons.append(reason)
        if isinstance(reason, BrokerUnreachableError):
            self._when_told()


def worker_of(
    home: Path, app: str, bootstrap_servers: str, window: Window, ready: Callable[[], None]
) -> Worker:
    return Worker(
        settings=Settings(app=app, data=home, partitions=2),
        registry=load(["docreactor.examples.todo"]),
        home=home,
        bootstrap_servers=bootstrap_servers,
        front=window,
        announce=ready,
    )


async def create(app: str, bootstrap_servers: str) -> None:
    settings = Settings(app=app, partitions=2)
    async with open_kafka(settings, bootstrap_servers, wait_s=15) as log:
        await create_topics(log, settings)


def stop() -> None:
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)


def never() -> None:
    raise AssertionError("it was ready")


async def test_a_worker_says_when_it_is_ready_and_stops_in_order(
    tmp_path: Path, app: str, kafka: Kafka
) -> None:
    await create(app, kafka.bootstrap_servers)
    window = Window()

    await worker_of(tmp_path, app, kafka.bootstrap_servers, window, stop).run()

    assert window.diary == ["serves", "open", "serves no more", "closed"]
    assert has_served(tmp_path, kafka.bootstrap_servers)


async def test_a_worker_without_topics_ends_and_names_them(
    tmp_path: Path, app: str, kafka: Kafka
) -> None:
    window = Window()

    with pytest.raises(TopicsMissingError, match=f"{app}.actions.*docreactor topics create"):
        await worker_of(tmp_path, app, kafka.bootstrap_servers, window, never).run()

    assert window.diary == ["serves", "serves no more"]
    assert not has_served(tmp_path, kafka.bootstrap_servers)


async def test_a_first_start_without_a_broker_gives_up(
    tmp_path: Path, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BROKER_WAIT_S", 0.3)

    with pytest.raises(BrokerUnreachableError, match=NOBODY):
        await worker_of(tmp_path, app, NOBODY, Window(), never).run()


async def test_a_later_start_waits_for_the_broker_and_says_so(
    tmp_path: Path, app: str, own_kafka: OwnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BROKER_WAIT_S", 0.3)
    await create(app, own_kafka.bootstrap_servers)
    remember_serving(tmp_path, own_kafka.bootstrap_servers)
    own_kafka.kill()

    window = Window(when_told=own_kafka.start)
    await worker_of(tmp_path, app, own_kafka.bootstrap_servers, window, stop).run()

    assert [reason.name() for reason in window.reasons] == ["Log", "BrokerUnreachable"]
    assert window.diary == ["serves", "open", "serves no more", "closed"]


async def test_a_worker_that_waits_for_the_broker_can_be_stopped(
    tmp_path: Path, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BROKER_WAIT_S", 0.1)
    remember_serving(tmp_path, NOBODY)
    window = Window(when_told=stop)

    await worker_of(tmp_path, app, NOBODY, window, never).run()

    assert window.diary == ["serves", "serves no more"]
