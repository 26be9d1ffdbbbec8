"""Apache Kafka in a container, asked for of an engine that runs nothing."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from docreactor.gateway.broker.runtime import Runtime
from docreactor.pipeline.errors import InvalidInputError
from tests.support.container import (
    docker_answers,
    recorded_container,
    remove_container,
    start_container,
)
from tests.support.fake_docker import CONTAINER, HOST_PORT, FakeDocker, fake_docker
from tests.support.shared_kafka import SharedKafka, end_everything


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeDocker]:
    with fake_docker() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        # Inside a container, testcontainers would look for the engine's other networks.
        mode = ConnectionMode.docker_host
        monkeypatch.setattr(testcontainers_config, "connection_mode_override", mode)
        yield engine


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


def test_an_engine_that_answers_a_ping_is_there(engine: FakeDocker) -> None:
    assert docker_answers()
    assert engine.asked("GET", "/_ping")


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_nobody_is_waited_for() -> None:
    began = time.monotonic()
    assert not docker_answers()
    assert time.monotonic() - began < 2


def test_the_container_is_one_node_of_apache_kafka_with_the_fast_settings(
    engine: FakeDocker, tmp_path: Path
) -> None:
    assert start_container(tmp_path) == f"localhost:{HOST_PORT}"

    [created] = engine.asked("POST", "/containers/create")
    facts = json.loads(created.body)
    assert facts["Image"] == "apache/kafka:4.3.1"
    assert list(facts["ExposedPorts"]) == ["9093/tcp"]
    environment = dict(line.split("=", 1) for line in facts["Env"])
    assert environment["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@localhost:9094"
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert environment["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] == "0"
    assert environment["KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS"] == "500"
    assert environment["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "1"
    assert int(environment["KAFKA_MESSAGE_MAX_BYTES"]) > 16 * 1024 * 1024
    assert "KAFKA_LOG_DIRS" not in environment
    assert "127.0.0.1" not in environment["KAFKA_LISTENERS"]
    assert len(engine.asked("POST", f"/containers/{CONTAINER}/start")) == 1


def test_the_broker_is_told_the_address_that_the_host_maps_to_it(
    engine: FakeDocker, tmp_path: Path
) -> None:
    start_container(tmp_path)
    [put] = engine.asked("PUT", f"/containers/{CONTAINER}/archive")
    with tarfile.open(fileobj=io.BytesIO(put.body)) as archive:
        script = archive.extractfile("/tc-start.sh")
        assert script is not None
        lines = script.read().decode().splitlines()
    assert f"KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:{HOST_PORT},BROKER:" in lines[1]
    assert lines[-1] == "exec /etc/kafka/docker/run"


def test_a_container_of_the_run_is_removed_with_its_volumes(
    engine: FakeDocker, tmp_path: Path
) -> None:
    start_container(tmp_path)
    remove_container(tmp_path)
    [removed] = engine.asked("DELETE", f"/containers/{CONTAINER}")
    assert "force=True" in removed.path
    assert "v=True" in removed.path


def test_a_run_without_a_container_removes_none(engine: FakeDocker, tmp_path: Path) -> None:
    assert recorded_container(tmp_path) is None
    remove_container(tmp_path)
    assert not engine.questions


def test_auto_takes_the_container_once_for_all_processes_of_a_run(
    engine: FakeDocker, tmp_path: Path
) -> None:
    addresses = {SharedKafka(tmp_path, "auto").address() for _ in range(2)}
    assert addresses == {f"localhost:{HOST_PORT}"}
    assert len(engine.asked("POST", "/containers/create")) == 1


def test_the_option_testcontainers_does_not_ask_whether_there_is_an_engine(
    engine: FakeDocker, tmp_path: Path
) -> None:
    SharedKafka(tmp_path, "testcontainers").address()
    assert not engine.asked("GET", "/_ping")
    assert engine.asked("POST", "/containers/create")


def test_the_option_local_asks_no_engine(
    engine: FakeDocker, tmp_path: Path, broker_runtime: Runtime
) -> None:
    assert SharedKafka(tmp_path, "local").address().startswith("127.0.0.1:")
    end_everything(tmp_path)
    assert not engine.questions


def test_a_word_that_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="'docker' is not host:port"):
        SharedKafka(tmp_path, "docker").address()


def test_an_address_is_taken_as_it_is(engine: FakeDocker, tmp_path: Path) -> None:
    assert SharedKafka(tmp_path, "kafka.example:9092").address() == "kafka.example:9092"
    assert not engine.questions
