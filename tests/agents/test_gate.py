"""A process that ends at any step around a deferral loses no job and runs none twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from docreactor.agents.node import Node
from docreactor.pipeline.job import Cancellation, Job, JobResult
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.problem import problem_name
from tests.support.nodes import Site, site, until
from tests.support.steps import Death, Killed, Steps
from tests.support.waiting import Waiting

HERE = next(name for name in map("d{}".format, range(9)) if partition_for(name, 2) == 0)
STEPS = ("send", "sent", "consume", "commit", "committed")


@dataclass
class Scene:
    """Jobs that wait for each other and for a job of another partition, on one document."""

    place: Site = field(default_factory=lambda: site(partitions=2, batch_jobs_max=3))

    def __post_init__(self) -> None:
        self.waiting = waiting = Waiting(self.place)
        self.dependency = waiting.mint(partition=1)
        place = self.place

        def add(amount: int, *depends_on: str, **fields: str) -> Job:
            actions = [("ADD", {"amount": amount})]
            return place.job(HERE, actions, depends_on=depends_on, **fields)

        load = waiting.load(HERE, [("ADD", {"amount": 7})], scope="other")
        cancelled = add(0, self.dependency, scope="local")
        self.jobs: list[Job] = [
            load,
            place.creation(HERE),
            first := add(1, self.dependency),
            add(2),
            add(3, load.id, scope="third"),
            add(4, first.id, scope="fourth"),
            cancelled,
            Cancellation(id="c1-0", document_id=HERE, job_id=cancelled.id),
        ]
        self.cancelled = cancelled.id

    def has_ended(self, node: Node) -> bool:
        """Whether every job has ended."""
        partition = node.local(0)
        return partition is not None and all(partition.job(job.id) for job in self.jobs)

    def is_cancelled(self, node: Node) -> bool:
        """Whether the cancellation was consumed: only then may what it came before go on."""
        partition = node.local(0)
        return partition is not None and partition.job("c1-0") is not None

    def check(self) -> None:
        """Each ended once, each stored once, in its stream's order; nothing waits any more."""
        place = self.place
        results = [JobResult.decode(record.value) for record in place.records(place.topics.jobs)]
        assert sorted(one.id for one in results) == sorted(job.id for job in self.jobs)
        errors = {one.id: problem_name(one.error) for one in results if one.error is not None}
        assert errors == {self.cancelled: "JobCancelled"}
        stored: dict[str, list[int]] = {}
        for record in place.records(place.topics.operations):
            operation = Operation.decode(record.value)
            if operation.action.scope != "document":
                stored.setdefault(operation.action.scope, []).append(
                    operation.action.input["amount"]
                )
        assert stored == {"global": [1, 2], "other": [7], "third": [3], "fourth": [4]}
        newest = {one.key: one.value for one in place.records(place.topics.deferred)}
        assert set(newest.values()) <= {None}


async def _play(scene: Scene, steps: Steps) -> None:
    """One process, until everything is done or it has ended."""
    death = steps if isinstance(steps, Death) else None

    def is_dead() -> bool:
        return death is not None and death.happened

    await scene.place.enqueue(*scene.jobs)
    try:
        async with scene.place.node(steps, ready=False) as node:
            await until(lambda: is_dead() or scene.is_cancelled(node))
            if scene.is_cancelled(node):
                await scene.waiting.end(scene.dependency)
            await until(lambda: is_dead() or scene.has_ended(node))
    except* Killed:
        assert is_dead()


async def _finish(scene: Scene) -> None:
    """A process that nothing ends."""
    async with scene.place.node() as node:
        await until(lambda: scene.is_cancelled(node))
        await scene.waiting.end(scene.dependency)
        await until(lambda: scene.has_ended(node))


async def _steps() -> list[str]:
    scene, steps = Scene(), Steps()
    await _play(scene, steps)
    scene.check()
    return steps.taken


@pytest.mark.parametrize("wiped", [False, True], ids=["kept", "wiped"])
@pytest.mark.parametrize("step", STEPS)
async def test_whatever_step_it_ends_at_every_job_ends_right_and_once(
    step: str, wiped: bool
) -> None:
    count = (await _steps()).count(step)
    assert count >= 3
    for number in range(1, count + 1):
        scene = Scene()
        await _play(scene, Death(step, number))
        if wiped:
            scene.place.stores.clear()
        await _finish(scene)
        scene.check()
