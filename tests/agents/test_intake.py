"""Where jobs come in."""

import pytest

from docreactor.agents.intake import Intake
from docreactor.pipeline.errors import LogError, TooBusyError
from docreactor.pipeline.keys import partition_for
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


async def test_jobs_submitted_together_stand_in_their_partitions_in_their_order() -> None:
    place = site(partitions=4)
    intake = Intake(deployment(place), lambda _: 0)
    await intake.open()
    jobs = [place.creation(f"d{number}") for number in range(12)]
    partitions = [partition_for(job.document_id, 4) for job in jobs]
    offsets = await intake.submit_together(jobs)
    for partition in range(4):
        mine = [offset for at, offset in zip(partitions, offsets, strict=True) if at == partition]
        assert mine == list(range(len(mine)))
    assert len(set(partitions)) > 1
    assert (await intake.submit(jobs[0])) == partitions.count(partitions[0]) + 1
    await intake.close()


async def test_while_one_partition_has_too_many_nothing_of_a_bundle_is_appended() -> None:
    place = site(partitions=2, backlog_records_max=2)
    intake = Intake(deployment(place), lambda partition: 0 if partition == 0 else 100)
    await intake.open()
    names = [f"d{number}" for number in range(20)]
    here = [place.creation(one) for one in names if partition_for(one, 2) == 0][:4]
    there = [place.creation(one) for one in names if partition_for(one, 2) == 1][:2]
    await intake.submit_together([*here, *there])
    with pytest.raises(TooBusyError):
        await intake.submit_together([there[0], here[0]])
    assert len(await intake.submit_together([there[0]])) == 1
    assert len(place.records(place.topics.actions)) == 4
    await intake.close()


async def test_a_closed_intake_takes_no_bundle() -> None:
    place = site()
    intake = Intake(deployment(place), lambda _: 0)
    with pytest.raises(LogError, match="not connected"):
        await intake.submit_together([place.creation("d1"), place.creation("d2")])
