"""What commands print."""

from __future__ import annotations

import pytest

from docreactor.gateway.answers import Job
from docreactor.gateway.cli.screen import short, show_facts, show_job, show_next, show_table
from docreactor.pipeline.job import JobStatus

TOKEN = "0123456789abcdef0123456789abcdef." + "_".join(f"{part}-999999" for part in range(16))


def job() -> Job:
    return Job(
        id="j-1",
        document_id="shop-1",
        scope="global",
        branch="main",
        status=JobStatus.FAILED,
        token=TOKEN,
        error={"type": "urn:x/TooBusy", "detail": "3 wait", "status": 429, "title": "TooBusy"},
        retry_count=0,
        offset=None,
    )


def test_a_token_stays_in_one_piece(capsys: pytest.CaptureFixture[str]) -> None:
    show_job(job(), json=False)

    out = capsys.readouterr().out
    assert TOKEN in out
    assert "TooBusy: 3 wait" in out


def test_a_job_for_programs_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    show_job(job(), json=True)

    assert capsys.readouterr().out.count("\n") == 1


def test_what_is_empty_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_facts({"name": None, "slug": "", "lag": 0})

    assert capsys.readouterr().out == "lag   0\n"


def test_markup_in_data_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("NAME",), [("[bold]shop[/bold]",), (None,)])

    assert "[bold]shop[/bold]" in capsys.readouterr().out


def test_how_to_go_on_is_said_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    show_next("abc")
    show_next(None)

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "There is more: --cursor abc\n")


def test_a_long_value_is_cut_to_a_cell() -> None:
    assert short({"a": 1}) == '{"a":1}'
    assert len(short("x" * 100)) == 60
