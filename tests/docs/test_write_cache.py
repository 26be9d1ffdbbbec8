"""Whether what docs/write-cache.md shows is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from docreactor.agents.metrics import Metrics
from docreactor.pipeline.settings import Settings
from docreactor.tables.cache import WriteCache

DOCUMENTATION = Path(__file__).parent.parent.parent / "docs" / "write-cache.md"
INI = """[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
INHERITED = 6
"""How many promises the contract has that one of the examples inherits."""


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENTATION.read_text()


def test_its_examples_run_as_they_are(text: str, tmp_path: Path) -> None:
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "test_examples.py").write_text("\n\n".join(examples))
    (tmp_path / "pytest.ini").write_text(INI)
    arguments = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    shown = len(re.findall("def test_", text))
    assert f"{shown + INHERITED} passed" in run.stdout


def test_it_names_settings_that_there_are_with_their_defaults(text: str) -> None:
    rows = re.findall(r"^\| `((?:CACHE|KEYFRAME)[A-Z_]+)` \| `?([^|`]+?)`? \|", text, re.MULTILINE)
    defaults = {name: getattr(Settings(), name.lower()) for name, _ in rows}

    told = {name: value.replace(",", "") for name, value in rows}
    told["CACHE_BYTES_MAX"] = str(int(told["CACHE_BYTES_MAX"].removesuffix(" MiB")) * 1024 * 1024)
    assert told == {name: str(value) for name, value in defaults.items()}
    assert len(rows) == 6


def test_it_names_metrics_that_there_are(text: str) -> None:
    named = set(re.findall(r"`(docreactor_[a-z_]+)`", text))
    there = generate_latest(Metrics().registry).decode()

    assert len(named) == 7
    assert all(f"# HELP {name.removesuffix('_total')}" in there for name in named)


def test_it_names_calls_that_there_are(text: str) -> None:
    rows = text[text.index("| call | does |") : text.index("`get` fails with")]
    named = set(re.findall(r"`(?:await )?([a-z_]+)\(", rows))

    assert named == {name for name in vars(WriteCache) if not name.startswith("_")} - {"bases"}
