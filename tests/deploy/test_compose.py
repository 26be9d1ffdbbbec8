"""docker-compose.yml without Docker: its shape, and every service's command from the wheel."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from docreactor.gateway.broker.jars import KAFKA_VERSION
from docreactor.gateway.broker.profile import Profile, server_properties
from tests.support.kafka import Kafka
from tests.test_wheel import built, installed

ROOT = Path(__file__).parent.parent.parent
TOKEN = "a token for the test"
DEADLINE_S = 90
# What a broker in a container's network is told otherwise than one on a laptop.
PLACED = ("LISTENER", "ADVERTISED", "CONTROLLER", "LOG_DIRS", "INTER_BROKER", "PROCESS", "NODE_ID")

__all__ = ["built", "installed"]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of the file, as Compose reads them, but for variables."""
    loaded = YAML(typ="safe").load((ROOT / "docker-compose.yml").read_text())
    return dict(loaded["services"])


def test_the_file_is_a_compose_file() -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
    done = subprocess.run(
        (*check, ROOT / "docker-compose.yml"), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_starts_when_what_it_needs_is_there(services: dict[str, Any]) -> None:
    needs = {
        name: {on: how["condition"] for on, how in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }

    assert needs == {
        "kafka": {},
        "topics": {"kafka": "service_healthy"},
        "worker-1": {"topics": "service_completed_successfully"},
        "worker-2": {"topics": "service_completed_successfully"},
    }


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", [])]

    assert published == ["127.0.0.1:8080:8080", "127.0.0.1:8081:8080"]


def test_no_worker_starts_without_a_token(services: dict[str, Any]) -> None:
    for name in ("topics", "worker-1", "worker-2"):
        token = services[name]["environment"]["DOCREACTOR_HTTP_TOKEN"]
        assert token.startswith("${DOCREACTOR_HTTP_TOKEN:?"), name


def test_every_store_has_a_volume_of_its_own(services: dict[str, Any]) -> None:
    volumes = [volume for service in services.values() for volume in service.get("volumes", [])]

    assert volumes == ["kafka:/var/lib/kafka/data", "worker-1:/data", "worker-2:/data"]


def test_the_broker_is_the_one_of_a_laptop_in_another_place(services: dict[str, Any]) -> None:
    at_home = server_properties(Profile.SAFE, data=Path(), port=0, controller_port=0)
    wanted = {f"KAFKA_{name.replace('.', '_').upper()}": str(v) for name, v in at_home.items()}
    kafka = services["kafka"]
    given = {
        name: value
        for name, value in kafka["environment"].items()
        if not name.removeprefix("KAFKA_").startswith(PLACED)
    }

    assert kafka["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert given == {name: wanted[name] for name in given}
    for needed in ("KAFKA_MESSAGE_MAX_BYTES", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"):
        assert needed in given


def test_the_image_is_of_this_version(services: dict[str, Any]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    ours = {service["image"] for service in services.values() if "build" in service}
    assert ours == {f"docreactor:{version}"}


@dataclass(frozen=True)
class Outside:
    """A service's process as Docker would run it, in a place of the test's own."""

    programs: Path
    service: Mapping[str, Any]
    environment: Mapping[str, str]
    port: int

    @property
    def command(self) -> list[str]:
        return [str(self.programs / "docreactor"), *self.service["command"]]

    def is_healthy(self) -> bool:
        """Whether the service's own health check says so."""
        kind, python, *rest = self.service["healthcheck"]["test"]
        assert (kind, python) == ("CMD", "python")
        placed = [part.replace(":8080", f":{self.port}") for part in rest]
        check = subprocess.run(
            [str(self.programs / "python"), *placed], capture_output=True, check=False
        )
        return check.returncode == 0


@contextmanager
def running(outside: Outside) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(outside.command, env=dict(outside.environment)) as process:
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def placed(
    services: Mapping[str, Any], name: str, *, programs: Path, kafka: Kafka, app: str, data: Path
) -> Outside:
    """The service with its broker, its address and its volume where the test has them."""
    service, port = services[name], free_port()
    environment = {
        key: re.sub(r"\$\{DOCREACTOR_HTTP_TOKEN:\?.*\}", TOKEN, value)
        for key, value in service["environment"].items()
    }
    environment |= {
        "PATH": os.environ["PATH"],
        "DOCREACTOR_APP": app,
        "DOCREACTOR_BROKER": kafka.bootstrap_servers,
        "DOCREACTOR_DATA": str(data / name),
        "DOCREACTOR_PORT": str(port),
        "DOCREACTOR_ADVERTISED_URL": f"http://127.0.0.1:{port}",
    }
    return Outside(programs, service, environment, port)


def await_health(outside: Outside, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not outside.is_healthy():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "it was never healthy"


def test_every_service_runs_from_the_wheel(
    services: dict[str, Any], installed: Path, kafka: Kafka, app: str, tmp_path: Path
) -> None:
    topics, *workers = (
        placed(services, name, programs=installed, kafka=kafka, app=app, data=tmp_path)
        for name in ("topics", "worker-1", "worker-2")
    )
    subprocess.run(topics.command, env=dict(topics.environment), timeout=DEADLINE_S, check=True)

    with ExitStack() as all_of_them:
        processes = [all_of_them.enter_context(running(worker)) for worker in workers]
        for worker, process in zip(workers, processes, strict=True):
            await_health(worker, process)
        here, there = (f"http://127.0.0.1:{worker.port}" for worker in workers)
        assert httpx.post(f"{here}/v1/documents", json={}).status_code == 401

        bearer = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(headers=bearer, timeout=30) as client:
            for number in range(4):
                body = {"document_type": "example/todo", "id": f"{app}-{number}"}
                made = client.post(f"{here}/v1/documents?wait=read", json=body)
                assert made.status_code == 200, made.text
                asked = {"token": made.json()["token"]}
                found = client.get(f"{there}/v1/documents/{body['id']}", params=asked)
                assert found.json()["header"]["id"] == body["id"], found.text

        for process in processes:
            process.terminate()
        assert [process.wait(DEADLINE_S) for process in processes] == [0, 0]


def test_the_images_own_health_check_asks_the_port_that_is_set(installed: Path) -> None:
    (check,) = re.findall(r"CMD (\[\"python\".*\])$", dockerfile(), re.MULTILINE)
    _, *arguments = json.loads(check)
    environment = {**os.environ, "DOCREACTOR_PORT": str(free_port())}

    done = subprocess.run(
        [str(installed / "python"), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Connection refused" in done.stderr, "nobody listens there"


def test_the_image_installs_nothing_that_is_not_in_a_lock_and_is_no_ones_root() -> None:
    steps = re.sub(r"\\\n", " ", dockerfile())

    for install in re.findall(r"(?:pip install|uv build)[^&\n]*", steps):
        assert "--require-hashes" in install or "--no-index" in install, install
    assert "USER docreactor" in steps.split("FROM")[-1]


def dockerfile() -> str:
    return (ROOT / "deploy" / "Dockerfile").read_text()
