"""One deployment on this machine: what each of its workers is started with."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from docreactor.gateway.announcement import Announcement
from docreactor.gateway.broker.progress import Step
from docreactor.gateway.deployment import Deployment, all_serving
from docreactor.gateway.server import listen, serving
from docreactor.gateway.supervisor import Keeper
from docreactor.pipeline.settings import Settings
from tests.gateway.stand_in import plan_of
from tests.support.kafka import Kafka


def deployment(settings: Settings, *, workers: int = 2, broker: str = "kafka:9092") -> Deployment:
    return Deployment(settings, ("docreactor.examples.todo", "models.py:m"), workers, broker)


def test_each_worker_has_a_directory_a_log_and_a_port_of_its_own(tmp_path: Path) -> None:
    plans = deployment(Settings(app="docs", data=tmp_path, port=8123)).plans()

    assert [plan.port for plan in plans] == [8123, 0], "the others take free ones"
    for number, plan in enumerate(plans, 1):
        assert f"--data={tmp_path}/worker-{number}" in plan.command
        assert plan.log == tmp_path / "logs" / f"docs-worker-{number}.log"


def test_a_worker_is_told_what_up_was_told(tmp_path: Path) -> None:
    settings = Settings(app="docs", data=tmp_path, host="127.0.0.2", check_purity=True)

    (plan,) = deployment(settings, workers=1).plans()

    assert {
        "--app=docs",
        "--host=127.0.0.2",
        "--json",
        "--supervised",
        "--models=docreactor.examples.todo",
        "--models=models.py:m",
        "--check-purity",
    } <= set(plan.command)
    assert plan.environment["DOCREACTOR_BROKER"] == "kafka:9092"


def test_an_address_and_a_members_id_are_one_workers_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCREACTOR_ADVERTISED_URL", "https://docs.example")
    monkeypatch.setenv("DOCREACTOR_MEMBER_ID", "here")

    first, second = deployment(Settings(data=tmp_path)).plans()

    assert first.environment["DOCREACTOR_ADVERTISED_URL"] == "https://docs.example"
    assert "DOCREACTOR_ADVERTISED_URL" not in second.environment
    ids = [plan.environment["DOCREACTOR_MEMBER_ID"] for plan in (first, second)]
    assert ids == ["here-1", "here-2"]


@pytest.mark.parametrize(("broker", "answers"), [("127.0.0.1:1", False), (None, True)])
async def test_a_broker_answers_when_it_says_something(
    tmp_path: Path, kafka: Kafka, broker: str | None, answers: bool
) -> None:
    there = deployment(Settings(data=tmp_path), broker=broker or kafka.bootstrap_servers)

    assert await there.broker_answers() is answers


class Probed:
    """A node whose tables are restored after its third probe."""

    def __init__(self) -> None:
        self.probes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (b"authorization", b"Bearer secret") in scope["headers"]
        if scope["path"] == "/readyz":
            self.probes += 1
        ready = self.probes >= 3
        rows = [
            {"kind": "reducer", "state": "RUNNING", "progress": 1.0},
            {"kind": "reducer", "state": "RUNNING" if ready else "RESTORING", "progress": 0.5},
            {"kind": "view", "state": "RUNNING", "progress": None},
        ]
        status = 503 if scope["path"] == "/readyz" and not ready else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": orjson.dumps({"positions": rows})})


async def there() -> bool:
    return True


def kept(url: str, directory: Path) -> Keeper:
    """The keeper of a worker that listens there and was ready once."""
    keeper = Keeper(plan_of("", directory), there)
    keeper.url = url
    keeper.announced.set_result(Announcement(url, (url,), "a", "d", "b", (1,)))
    return keeper


async def test_all_serve_when_each_says_so_in_one_round(tmp_path: Path) -> None:
    apps, steps = (Probed(), Probed()), list[Step]()
    first, second = (listen("127.0.0.1", 0, None) for _ in apps)
    settings = Settings(data=tmp_path, http_token=SecretStr("secret"))

    async with serving(apps[0], first), serving(apps[1], second), asyncio.timeout(30):
        keepers = [kept(listener.url, tmp_path) for listener in (first, second)]
        await all_serving(keepers, settings, steps.append)

    assert [app.probes for app in apps] == [3, 3]
    assert set(steps) == {Step("Restoring tables", done=150, total=200)}
