"""Apache Kafka in a container, where a Docker engine answers."""

from __future__ import annotations

import gc
import tempfile
import warnings
from pathlib import Path

import docker
import orjson
from docker.errors import DockerException, NotFound
from testcontainers.community.kafka import KafkaContainer
from testcontainers.core.config import testcontainers_config

from docreactor.gateway.broker.jars import KAFKA_VERSION
from docreactor.gateway.broker.profile import Profile, server_properties

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
PING_TIMEOUT_S = 2
START_TIMEOUT_S = 100
RECORD = "container.json"
# These are given by the container's own network, not by ours.
PLACED = ("listener", "advertised", "controller", "log.dirs", "inter.broker", "process", "node")


class ApacheKafkaContainer(KafkaContainer):
    """Apache's image, which is started by other scripts than the one KafkaContainer knows."""

    def __init__(self) -> None:
        super().__init__(IMAGE)
        self.kraft_enabled = True
        for name, value in server_properties(
            Profile.FAST, data=Path(), port=0, controller_port=0
        ).items():
            if not name.startswith(PLACED):
                self.with_env(f"KAFKA_{name.replace('.', '_').upper()}", str(value))

    def tc_start(self) -> None:
        """Tell the broker the address that the host maps to it, and let it boot."""
        listeners = f"PLAINTEXT://{self.get_bootstrap_server()},BROKER://$(hostname -i):9092"
        script = (
            f"#!/bin/bash\nexport KAFKA_ADVERTISED_LISTENERS={listeners}\n"
            "exec /etc/kafka/docker/run\n"
        )
        self.create_file(script.encode(), KafkaContainer.TC_START_SCRIPT)


def docker_answers() -> bool:
    """Whether an engine answers: a docker program in PATH proves nothing."""
    with warnings.catch_warnings():
        # A client that finds no engine leaves the socket it tried open until it is collected.
        warnings.simplefilter("ignore", ResourceWarning)
        answered = _pinged()
        gc.collect()
    return answered


def _pinged() -> bool:
    try:
        client = docker.from_env(timeout=PING_TIMEOUT_S)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (DockerException, OSError):
        return False


def start_container(directory: Path) -> str:
    """Start the container and put it on record; its address."""
    # The run's owner removes it: a reaper would do so when the worker that started it ends.
    testcontainers_config.ryuk_disabled = True
    container = ApacheKafkaContainer()
    try:
        container.start(timeout=START_TIMEOUT_S)
    except BaseException:
        container.stop()
        raise
    address = str(container.get_bootstrap_server())
    facts = {"address": address, "id": container.get_wrapped_container().id}
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as arriving:
        arriving.write(orjson.dumps(facts))
    Path(arriving.name).rename(directory / RECORD)
    return address


def recorded_container(directory: Path) -> str | None:
    """The address of the container of this run, None if it has none."""
    path = directory / RECORD
    return str(orjson.loads(path.read_bytes())["address"]) if path.exists() else None


def remove_container(directory: Path) -> None:
    """Remove the container of this run, if it has one."""
    path = directory / RECORD
    if not path.exists():
        return
    client = docker.from_env(timeout=START_TIMEOUT_S)
    try:
        client.containers.get(orjson.loads(path.read_bytes())["id"]).remove(force=True, v=True)
    except NotFound:
        pass
    finally:
        client.close()
