"""Random jobs that wait for each other, over partitions and crashes: all end, in their order."""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from docreactor.agents.node import Node
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.job import Job, JobResult, Load, Mutation
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.problem import problem_name
from tests.support.nodes import site, until
from tests.support.steps import Death, Killed, Steps
from tests.support.waiting import Waiting

PARTITIONS = 3
DOCUMENTS = [f"d{number}" for number in range(6)]
SCOPES = ("global", "local")
JOBS = 60


class Plot:
    """What a seed says: jobs in the order in which they are appended, creations among them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.place = site(partitions=PARTITIONS, batch_jobs_max=self.random.choice([2, 7, 1_000]))
        self.waiting = Waiting(self.place)
        self.minter = IdMinter(lambda: 0, lambda bits: 1)
        self.jobs: list[Job] = []
        created = {name: self.random.randrange(JOBS) for name in DOCUMENTS}
        self.created: set[str] = set()
        for number in range(JOBS):
            for document_id, at in created.items():
                if at == number:
                    self.created.add(document_id)
                    self._append(self.place.creation(document_id), depends=False)
            self._append(self._job(number), depends=True)

    def _job(self, number: int) -> Job:
        document_id = self.random.choice(DOCUMENTS)
        scope = self.random.choice(SCOPES)
        actions = [("ADD", {"amount": number})]
        if self.random.random() < 0.4 or document_id not in self.created:
            return self.waiting.load(document_id, actions, scope=scope)
        return self.place.job(document_id, actions, scope=scope)

    def _append(self, job: Job, *, depends: bool) -> None:
        partition = partition_for(job.document_id, PARTITIONS)
        job = replace(job, id=f"{self.waiting.minter.mint()}-{partition}")
        assert isinstance(job, Mutation | Load)
        if depends and self.jobs and self.random.random() < 0.5:
            count = self.random.randint(1, 3)
            # Whatever was appended before: what waits for a later one may wait for ever.
            found = {one.id for one in self.random.choices(self.jobs, k=count)}
            job = replace(job, depends_on=tuple(sorted(found)))
        self.jobs.append(job)

    def has_ended(self, node: Node) -> bool:
        """Whether every job has."""
        for job in self.jobs:
            partition = node.local(partition_for(job.document_id, PARTITIONS))
            if partition is None or partition.job(job.id) is None:
                return False
        return True

    def check(self) -> None:
        """All stored once; mutations of a stream in the order in which they came."""
        topics, place = self.place.topics, self.place
        results: list[JobResult] = []
        stored: dict[tuple[str, str], list[str]] = {}
        newest: dict[bytes, bytes | None] = {}
        for partition in range(PARTITIONS):
            results += [
                JobResult.decode(one.value) for one in place.records(topics.jobs, partition)
            ]
            for record in place.records(topics.operations, partition):
                operation = Operation.decode(record.value)
                document_id, scope, _, _ = record.key.decode().split("/")
                stored.setdefault((document_id, scope), []).append(operation.action.id)
            records = place.records(topics.deferred, partition)
            newest |= {record.key: record.value for record in records}
        assert sorted(one.id for one in results) == sorted(job.id for job in self.jobs)
        errors = {problem_name(one.error) for one in results if one.error is not None}
        assert errors == set()
        assert set(newest.values()) <= {None}
        for (document_id, scope), ids in stored.items():
            asked = [
                action.id
                for job in self.jobs
                if isinstance(job, Mutation)
                and (job.document_id, job.scope) == (document_id, scope)
                for action in job.actions
            ]
            first = list(dict.fromkeys(ids))
            assert [one for one in first if one in set(asked)] == asked


async def _play(plot: Plot, steps: Steps) -> None:
    """One process, until everything is done or it has ended."""
    death = steps if isinstance(steps, Death) else None

    def is_dead() -> bool:
        return death is not None and death.happened

    try:
        async with plot.place.node(steps, ready=False) as node:
            await until(lambda: is_dead() or plot.has_ended(node))
    except* Killed:
        assert is_dead()


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_waits_for_whatever_comes_to_its_end(seed: int) -> None:
    plot = Plot(seed)
    await plot.place.enqueue(*plot.jobs)
    # A third death in a row would set a job aside as the one that ends its worker.
    for _ in range(plot.random.randrange(3)):
        step = plot.random.choice(["send", "commit", "committed", "consume"])
        await _play(plot, Death(step, plot.random.randint(2, 12)))
        if plot.random.random() < 0.5:
            plot.place.stores.clear()
    await _play(plot, Steps())
    plot.check()
