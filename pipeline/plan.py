"""In which order the jobs of a batch are enqueued, so that each comes after what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from docreactor.pipeline.errors import (
    DependencyCycleError,
    DuplicateKeyError,
    UnknownDependencyError,
)


class Planned(NamedTuple):
    """A job of a batch by its key, and the keys of those that it waits for."""

    key: str
    depends_on: Sequence[str] = ()


def plan(jobs: Sequence[Planned]) -> list[int]:
    """The places of the jobs in an order that every dependency points back in.

    Jobs that do not wait for each other keep the order that they were given in. DuplicateKey,
    UnknownDependency or DependencyCycle, which a job that waits for itself is too.
    """
    places: dict[str, int] = {}
    for place, job in enumerate(jobs):
        if places.setdefault(job.key, place) != place:
            raise DuplicateKeyError(job.key)
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for place, job in enumerate(jobs):
        for dependency in job.depends_on:
            if dependency not in places:
                raise UnknownDependencyError(job.key, dependency)
        sorter.add(place, *(places[dependency] for dependency in job.depends_on))
    try:
        sorter.prepare()
    except CycleError as error:
        # The sorter tells it from a job to the one that waits for it.
        circle: list[int] = error.args[1]
        raise DependencyCycleError([jobs[place].key for place in reversed(circle)]) from error
    order: list[int] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order
