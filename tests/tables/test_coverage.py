"""Parts that everything else stands on: their own tests reach every line and every branch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MODULES = ("ring", "lru", "keyframes")


def test_ring_lru_and_key_value_stores_are_reached_line_by_line_and_branch_by_branch(
    tmp_path: Path,
) -> None:
    data, report = tmp_path / "data", tmp_path / "report.json"
    coverage = [sys.executable, "-m", "coverage"]
    measured = ",".join(f"*/tables/{module}.py" for module in MODULES)
    # The examples that a machine draws need not be there: what they may reach, they may miss.
    options = ["-q", "-p", "no:cacheprovider", "-m", "not hypothesis"]
    tests = [f"tests/tables/test_{module}.py" for module in MODULES]

    _run(
        [*coverage, "run", "--branch", f"--data-file={data}", f"--include={measured}"]
        + ["-m", "pytest", *options, *tests]
    )
    _run([*coverage, "json", f"--data-file={data}", "-o", str(report)])

    found = json.loads(report.read_text())["files"]
    assert sorted(Path(path).stem for path in found) == sorted(MODULES)
    missing = {
        path: (one["missing_lines"], one["missing_branches"])
        for path, one in found.items()
        if one["missing_lines"] or one["missing_branches"]
    }
    assert not missing, f"lines and branches that no test of theirs reaches: {missing}"


def _run(arguments: list[str]) -> None:
    # As a process of its own, also where this one is a worker of pytest-xdist.
    environment = {name: x for name, x in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
