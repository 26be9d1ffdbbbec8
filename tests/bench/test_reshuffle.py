"""What late arrivals cost."""

from __future__ import annotations

import orjson
from typer.testing import CliRunner

from docreactor.bench.commands import app
from docreactor.bench.reshuffle import BATCHES, LATE_SHARES, measure_growth, measure_head


async def test_what_arrives_in_order_is_stored_once() -> None:
    growth = await measure_growth(50, batch=10, share=0.0, late_by=10)
    assert (growth.fresh, growth.moved, growth.stored_per_action) == (50, 0, 1.0)


async def test_what_arrives_together_is_moved_together() -> None:
    alone, together = [
        (await measure_growth(100, batch=batch, share=0.5, late_by=20)).moved for batch in (1, 50)
    ]
    assert 0 < together < alone / 4


async def test_an_action_before_all_others_moves_them() -> None:
    head = await measure_head(40)
    assert head.moved == 40
    assert head.bytes > 40 * 200
    assert 0 < head.stretch_s <= head.took_s


def test_the_command_says_that_no_kafka_takes_part() -> None:
    answer = CliRunner().invoke(
        app, ["reshuffle", "--actions=40", "--late-by=10", "--stream=100", "--json"]
    )

    assert answer.exit_code == 0, answer.output
    (line,) = answer.stdout.splitlines()
    facts = orjson.loads(line)
    assert facts["asked"] == {"actions": 40, "late_by": 10, "stream": 100}
    named = {figure["name"]: figure["value"] for figure in facts["figures"]}
    assert named["tables"] == "in memory, without a Kafka"
    grown = [name for name in named if name.endswith("stored per action")]
    assert len(grown) == len(BATCHES) * len(LATE_SHARES)
    assert named["one action before 100"] > 0
