"""The command `bench`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from docreactor.bench.commands import app
from docreactor.bench.trace import DIRECTORY_VARIABLE
from docreactor.pipeline.errors import BenchDataMissingError
from tests.support.kafka import Kafka


def test_json_is_one_line_per_measurement_and_nothing_else(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCREACTOR_BROKER", kafka.bootstrap_servers)
    options = ["--actions=50", "--documents=5", "--partitions=2", "--faust-actions=0"]

    answer = CliRunner().invoke(app, ["write", *options, f"--directory={tmp_path}", "--json"])

    assert answer.exit_code == 0, answer.output
    (line,) = answer.stdout.splitlines()
    facts = orjson.loads(line)
    assert facts["asked"]["actions"] == 50
    assert facts["machine"]["cores"] >= 1
    assert all({"name", "value", "unit", "goal"} == figure.keys() for figure in facts["figures"])


def test_the_cache_is_measured_without_a_kafka(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCREACTOR_BROKER", "127.0.0.1:1")
    options = ["--operations=40", "--documents=16", "--steps=60", "--passes=1"]

    answer = CliRunner().invoke(app, ["cache", *options, f"--directory={tmp_path}", "--json"])

    assert answer.exit_code == 0, answer.output
    (line,) = answer.stdout.splitlines()
    facts = orjson.loads(line)
    assert facts["bench"] == "cache"
    assert facts["asked"]["operations"] == 40
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["hot", "all"])
def test_a_measurement_without_its_data_says_so_before_it_starts_anything(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DIRECTORY_VARIABLE, raising=False)

    answer = CliRunner().invoke(app, [command])

    assert isinstance(answer.exception, BenchDataMissingError)


def test_the_help_names_every_measurement() -> None:
    answer = CliRunner().invoke(app, ["--help"])

    assert all(
        name in answer.output for name in ("write", "latency", "read", "hot", "cache", "all")
    )
