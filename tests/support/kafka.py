"""The fixtures `kafka`, `own_kafka` and `app`, and the option that says which Kafka."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from docreactor.gateway.broker.runtime import Runtime
from docreactor.pipeline.errors import ReactorError
from tests.support.own_kafka import OwnKafka, prepare
from tests.support.shared_kafka import RunDirectory, SharedKafka

SHARED = pytest.StashKey[SharedKafka]()
OWNED = pytest.StashKey[RunDirectory]()
DIRECTORY = "kafka_directory"


@dataclass(frozen=True, slots=True)
class Kafka:
    """A running Kafka."""

    bootstrap_servers: str


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Kafka:
    """The Kafka of the run, shared by all workers: keep to topics that begin with `app`."""
    return Kafka(pytestconfig.stash[SHARED].address())


@pytest.fixture
def own_kafka(pytestconfig: pytest.Config) -> Iterator[OwnKafka]:
    """A Kafka of this test alone, running, which it may stop, kill, freeze and start again."""
    own = OwnKafka(pytestconfig.stash[SHARED].directory_of_own())
    try:
        own.start()
        yield own
    finally:
        own.close()


@pytest.fixture(scope="session")
def broker_runtime() -> Runtime:
    """Java and the checked jars, for tests of the development broker itself."""
    return prepare()[0]


@pytest.fixture
def app() -> str:
    """An app name that no other test uses: the prefix of topics, groups and transactions."""
    return f"t{uuid.uuid4().hex[:12]}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kafka",
        default="auto",
        metavar="auto|local|testcontainers|HOST:PORT",
        help="Kafka of the tests. auto: a container where Docker answers, else one started here.",
    )


def pytest_configure(config: pytest.Config) -> None:
    choice = str(config.getoption("--kafka"))
    if worker := worker_input(config):
        directory = Path(worker[DIRECTORY])
    else:
        config.stash[OWNED] = RunDirectory()
        directory = config.stash[OWNED].path
    config.stash[SHARED] = SharedKafka(directory, choice)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the run's brokers live."""
    node.workerinput[DIRECTORY] = str(node.config.stash[OWNED].path)


def pytest_unconfigure(config: pytest.Config) -> None:
    if owned := config.stash.get(OWNED, None):
        owned.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a real Kafka, so that `-m 'not kafka'` is the quick half."""
    for item in items:
        if {"kafka", "own_kafka"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.kafka)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start what the selected tests need, so that a first download is on no test's clock."""
    if session.config.option.collectonly:
        return
    needed = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    try:
        if "kafka" in needed:
            session.config.stash[SHARED].address()
        if {"own_kafka", "broker_runtime"} & needed:
            prepare()
    except ReactorError as error:
        raise pytest.UsageError(f"{error.name()}: {error.message}") from error


def worker_input(config: pytest.Config) -> dict[str, Any] | None:
    """What pytest-xdist handed to this process, None in the one that the user started."""
    return getattr(config, "workerinput", None)
