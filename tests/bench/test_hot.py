"""One document that everybody edits."""

from __future__ import annotations

from random import Random

import pytest

from docreactor.bench.hot import measure_hot
from docreactor.bench.stage import Stage
from docreactor.bench.trace import Patch, Trace, text_after
from docreactor.pipeline.errors import MeasurementFailedError


def typed(count: int) -> Trace:
    """Edits as a person makes them: letters at the end, now and then a change further up."""
    random = Random(7)
    edits: list[list[Patch]] = []
    length = 0
    for _ in range(count):
        if length > 10 and random.random() < 0.2:
            at = random.randrange(length - 3)
            edits.append([(at, 2, "\N{OWL}"), (at, 0, "x")])
        else:
            edits.append([(length, 0, random.choice("abc \n"))])
            length += 1
    return Trace(edits, text_after(edits))


async def test_the_text_is_the_recorded_one_at_its_end_and_on_its_way(stage: Stage) -> None:
    figures = await measure_hot(stage, typed(250), per_job=20)

    found = {figure.name: figure.value for figure in figures}
    assert found["edits"] == 250
    assert {"read at 62, as replayed", "read at 124, as replayed"} <= found.keys()
    assert found["keyframes kept"]


async def test_another_text_than_the_recorded_one_is_no_figure(stage: Stage) -> None:
    trace = Trace(typed(30).edits, "something else")

    with pytest.raises(MeasurementFailedError, match="is not the one expected"):
        await measure_hot(stage, trace, per_job=20)
