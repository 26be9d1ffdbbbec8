"""The Faust app around a process's parts, on a real Kafka."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import faust
import pytest
from prometheus_client import CollectorRegistry

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.log.connection import Connection, connection_to
from docreactor.agents.log.kafka import KafkaLog, open_kafka
from docreactor.agents.part import Part
from docreactor.agents.shell import Shell, make_shell, run_shell
from docreactor.pipeline.errors import FencedError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics, declarations
from tests.support.kafka import Kafka

Context = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(autouse=True)
def calm_watchdog() -> Iterator[None]:
    """The watch is armed a last time when a shell ends; here the process goes on."""
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def settings(app: str, kafka: Kafka, tmp_path: Path) -> Settings:
    return Settings(
        app=app, data=tmp_path, partitions=2, replication_factor=1, min_insync_replicas=1
    )


@pytest.fixture
async def log(settings: Settings, kafka: Kafka) -> AsyncGenerator[KafkaLog]:
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=15) as log:
        await log.create(declarations(settings))
        yield log


@pytest.fixture
def connection(settings: Settings, kafka: Kafka) -> Connection:
    return connection_to(kafka.bootstrap_servers, settings)


class Diary:
    """Contexts that write down when they are entered and left."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def of(self, name: str, *, then: Callable[[], None] = lambda: None) -> Part:
        @asynccontextmanager
        async def context() -> AsyncGenerator[None]:
            self.entries.append(f"+{name}")
            then()
            try:
                yield
            finally:
                self.entries.append(f"-{name}")

        return Part(name, context)


def shell_of(settings: Settings, connection: Connection, *parts: Part) -> Shell:
    registry = CollectorRegistry()
    return make_shell(settings, connection, home=settings.data, registry=registry, parts=parts)


def tell_to_stop(number: signal.Signals = signal.SIGTERM) -> None:
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_parts_start_in_order_and_the_first_is_left_first(
    settings: Settings, connection: Connection, log: KafkaLog, number: signal.Signals
) -> None:
    diary = Diary()
    last = diary.of("node", then=lambda: tell_to_stop(number))
    shell = shell_of(settings, connection, diary.of("http"), last)

    await run_shell(shell, stall_max_s=10)

    assert diary.entries == ["+http", "+node", "-http", "-node"]


async def test_a_part_that_fails_ends_the_shell_with_its_error(
    settings: Settings, connection: Connection, log: KafkaLog
) -> None:
    diary = Diary()

    def fail() -> None:
        raise FencedError("another process took over")

    shell = shell_of(settings, connection, diary.of("http"), diary.of("node", then=fail))

    with pytest.raises(FencedError):
        await run_shell(shell, stall_max_s=10)

    assert diary.entries == ["+http", "+node", "-http"]


async def test_parts_serve_before_faust_has_joined_its_group(
    settings: Settings, connection: Connection, log: KafkaLog
) -> None:
    diary = Diary()
    shell = shell_of(settings, connection, diary.of("http"), diary.of("node"))

    @shell.on_rebalance_complete.connect
    async def joined(*_: object, **__: object) -> None:
        diary.entries.append("joined")
        tell_to_stop()

    await run_shell(shell, stall_max_s=10)

    assert diary.entries[:3] == ["+http", "+node", "joined"]


async def test_a_dead_letter_is_counted_and_told(
    settings: Settings,
    connection: Connection,
    log: KafkaLog,
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = CollectorRegistry()
    shell = make_shell(
        settings, connection, home=settings.data, registry=registry, parts=(Diary().of("http"),)
    )
    writer = await log.writer()
    letters = TopicPartition(Topics(settings.app).dead_letters, 1)
    await writer.append(letters, [Entry(b"doc", b"{}", (("cause", b"TooLarge"),))])
    await writer.close()

    def told() -> float | None:
        return registry.get_sample_value(
            "docreactor_dead_letters_told_total", {"cause": "TooLarge"}
        )

    running = asyncio.create_task(run_shell(shell, stall_max_s=10))
    async with asyncio.timeout(30):
        while told() is None:  # noqa: ASYNC110  a counter tells nobody
            await asyncio.sleep(0)
    tell_to_stop()
    await running

    assert told() == 1


async def test_the_shells_group_is_its_own(
    settings: Settings, connection: Connection, log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_ID", "elsewhere")
    monkeypatch.setenv("BROKER_URL", "kafka://elsewhere:1")

    shell = shell_of(settings, connection, Diary().of("http"))

    assert shell.conf.id == f"{settings.app}-shell"
    assert [url.port for url in shell.conf.broker] == [
        int(connection.bootstrap_servers.rpartition(":")[2])
    ]
    assert shell.agents, "an app without an agent fails at start"


def test_faust_uses_the_credentials_of_every_other_client(settings: Settings) -> None:
    secured = Connection(
        "127.0.0.1:9092",
        {
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "alice",
            "sasl_plain_password": "secret",
        },
    )

    credentials = shell_of(settings, secured, Diary().of("http")).conf.broker_credentials

    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.username, credentials.password) == ("alice", "secret")
    assert credentials.mechanism.value == "SCRAM-SHA-512"
