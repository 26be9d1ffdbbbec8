"""Where jobs come in."""

import pytest

from docreactor.agents.intake import Intake
from docreactor.pipeline.errors import LogError, TooBusyError
from tests.support.deployments import deployment
from tests.support.nodes import site


async def test_jobs_are_appended_to_their_documents_partition_in_order() -> None:
    place = site()
    intake = Intake(deployment(place), lambda _: 0)
    await intake.open()
    offsets = [await intake.submit(place.creation(one)) for one in ("d1", "d2")]
    assert offsets == [0, 1]
    keys = [record.key for record in place.records(place.topics.actions)]
    assert keys == [b"d1", b"d2"]
    await intake.close()


async def test_while_too_many_jobs_wait_more_are_refused() -> None:
    place = site(backlog_records_max=2)
    consumed = 0
    intake = Intake(deployment(place), lambda _: consumed)
    await intake.open()
    for number in range(4):
        await intake.submit(place.creation(f"d{number}"))
    with pytest.raises(TooBusyError, match="3 records wait, over 2"):
        await intake.submit(place.creation("d9"))
    consumed = 2
    assert await intake.submit(place.creation("d9")) == 4


async def test_a_closed_intake_takes_nothing() -> None:
    place = site()
    intake = Intake(deployment(place), lambda _: 0)
    await intake.open()
    await intake.close()
    with pytest.raises(LogError, match="not connected"):
        await intake.submit(place.creation("d1"))
