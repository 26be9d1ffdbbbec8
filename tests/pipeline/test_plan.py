"""A batch is planned before anything of it is enqueued, or refused with the key that is wrong."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.errors import (
    DependencyCycleError,
    DuplicateKeyError,
    UnknownDependencyError,
)
from docreactor.pipeline.plan import Planned, plan


def test_jobs_that_wait_for_nothing_keep_their_order() -> None:
    assert plan([Planned("c"), Planned("a"), Planned("b")]) == [0, 1, 2]
    assert plan([]) == []


def test_a_job_comes_after_what_it_waits_for() -> None:
    jobs = [Planned("a", ["c"]), Planned("b", ["a", "c"]), Planned("c")]

    assert plan(jobs) == [2, 0, 1]


def test_a_dependency_that_is_named_twice_is_one() -> None:
    assert plan([Planned("a", ["b", "b"]), Planned("b")]) == [1, 0]


@given(st.lists(st.sets(st.integers(0, 30)), max_size=30))
def test_every_dependency_points_back(waits: list[set[int]]) -> None:
    jobs = [
        Planned(str(place), [str(other) for other in others if other < place])
        for place, others in enumerate(waits)
    ][::-1]

    order = plan(jobs)

    at = {jobs[place].key: position for position, place in enumerate(order)}
    assert sorted(order) == list(range(len(jobs)))
    assert all(at[other] < at[job.key] for job in jobs for other in job.depends_on)


def test_two_jobs_of_one_key_are_refused() -> None:
    with pytest.raises(DuplicateKeyError) as caught:
        plan([Planned("a"), Planned("b"), Planned("a")])
    assert caught.value.facts == {"key": "a"}


def test_a_dependency_outside_the_batch_is_refused() -> None:
    with pytest.raises(UnknownDependencyError, match="job a depends on z") as caught:
        plan([Planned("a", ["z"])])
    assert caught.value.facts == {"key": "a", "dependency": "z"}


def test_a_circle_is_refused_and_told() -> None:
    jobs = [Planned("a", ["b"]), Planned("b", ["c"]), Planned("c", ["a"]), Planned("d", ["a"])]
    with pytest.raises(DependencyCycleError) as caught:
        plan(jobs)
    keys = caught.value.facts["keys"]
    assert keys[0] == keys[-1] == caught.value.facts["key"]
    waits = {job.key: job.depends_on for job in jobs}
    assert all(after in waits[before] for before, after in pairwise(keys))
    assert set(keys) == {"a", "b", "c"}


def test_a_job_that_waits_for_itself_is_refused() -> None:
    with pytest.raises(DependencyCycleError, match="a -> a"):
        plan([Planned("a", ["a"])])
