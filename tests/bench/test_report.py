"""Reports, for people and for programs."""

from __future__ import annotations

import orjson
from rich.console import Console

from docreactor.bench.report import Figure, Report

REPORT = Report(
    "write",
    {"actions": 200_000},
    [
        Figure("actions to operations", 31_234.5, "actions/s", "at least 25,000"),
        Figure("memory against before", 1.05),
        Figure("on the log", None, "MiB"),
    ],
    {"cores": 2, "load": 0.4, "python": "CPython 3.11.7"},
)


def test_a_report_is_json_with_its_figures_and_its_machine() -> None:
    facts = orjson.loads(orjson.dumps(REPORT.facts()))

    assert facts["bench"] == "write"
    assert facts["asked"] == {"actions": 200_000}
    assert facts["figures"][0] == {
        "name": "actions to operations",
        "value": 31_234.5,
        "unit": "actions/s",
        "goal": "at least 25,000",
    }
    assert facts["machine"]["cores"] == 2


def test_a_table_has_a_line_per_figure_and_says_what_is_not_known() -> None:
    console = Console(width=120, record=True)

    console.print(REPORT.table())

    lines = console.export_text().splitlines()
    assert any("31,23" in line and "at least 25,000" in line for line in lines)
    assert any("1.05" in line for line in lines)
    assert any("on the log" in line and " - " in line for line in lines)
