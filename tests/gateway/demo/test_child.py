"""The demo's deployment is started as a user would, and says why when it does not start."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from docreactor.gateway.demo.child import Plan, how_to_end, last_words


def test_the_broker_lives_where_the_tables_do(tmp_path: Path) -> None:
    plan = Plan(app="demo", data=tmp_path / "data", port=0, workers=2)

    assert plan.environment["DOCREACTOR_DATA"] == str(tmp_path / "data")
    assert {f"--data={plan.data}", "--workers=2", "--port=0", "--json"} <= set(plan.command)
    assert "--models=docreactor.examples.files" in plan.command


def test_the_last_words_are_the_error_that_ended_it(tmp_path: Path) -> None:
    journal = tmp_path / "up.log"
    journal.write_text(
        '{"level": "critical", "error": "AddressInUse", "detail": "taken"}\n{"level": "info"}\n[]\n'
    )

    assert last_words(journal) == "AddressInUse: taken"


def test_without_a_named_error_the_last_words_are_the_last_lines(tmp_path: Path) -> None:
    journal = tmp_path / "up.log"
    journal.write_text("".join(f"line {number}\n" for number in range(40)))

    assert last_words(journal).splitlines()[-1] == "line 39"
    assert len(last_words(journal).splitlines()) == 12


def test_the_line_that_ends_it_fits_a_shell(tmp_path: Path) -> None:
    data = tmp_path / "with space"
    data.mkdir()
    sleeping = subprocess.Popen(["sleep", "60"])
    plan = Plan(app="demo", data=data, port=0, workers=1)

    with sleeping, ThreadPoolExecutor(1) as waiting:
        # A shell would not wait for a process of ours that nobody has waited for.
        waiting.submit(sleeping.wait)
        subprocess.run(how_to_end(plan, sleeping.pid), shell=True, check=True)

    assert not data.exists()
    assert sleeping.returncode < 0
