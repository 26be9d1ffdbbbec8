"""Measurements, each in a place of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from docreactor.bench.measurement import Hot, take
from docreactor.bench.report import Figure
from docreactor.bench.stage import Stage
from docreactor.bench.trace import DIRECTORY_VARIABLE
from docreactor.gateway.broker.progress import silent
from docreactor.pipeline.errors import BenchDataMissingError
from tests.support.kafka import Kafka


@pytest.fixture
def directory(kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCREACTOR_BROKER", kafka.bootstrap_servers)
    return tmp_path


@dataclass(frozen=True)
class Topics:
    """How many operations a new deployment has."""

    partitions: int = 2
    name: str = "topics"

    async def measure(self, stage: Stage) -> list[Figure]:
        ends = await stage.log.end_offsets(stage.operations)
        return [Figure("partitions", len(ends)), Figure("operations", sum(ends.values()))]


def test_a_report_tells_what_was_asked_and_leaves_nothing_behind(directory: Path) -> None:
    report = take(Topics(), directory=directory, progress=silent)

    assert report.bench == "topics"
    assert report.asked["partitions"] == 2
    assert report.figures == [Figure("partitions", 2), Figure("operations", 0)]
    assert report.machine["cores"] >= 1
    assert list(directory.iterdir()) == []


def test_what_cannot_be_taken_is_an_error_and_leaves_nothing_behind(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)

    with pytest.raises(BenchDataMissingError):
        take(Hot(partitions=2), directory=directory, progress=silent)

    assert list(directory.iterdir()) == []
