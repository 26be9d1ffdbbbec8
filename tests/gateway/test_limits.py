"""What one job may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.gateway.limits import check_count, check_scopes, check_size
from docreactor.pipeline.action import Action
from docreactor.pipeline.errors import InvalidInputError, TooLargeError
from docreactor.pipeline.job import Incoming, Load, Mutation
from docreactor.pipeline.operation import StoredAction
from docreactor.pipeline.settings import Settings

SMALL = Settings(action_bytes_max=200, job_bytes_max=1_000, job_actions_max=3)


def mutation(*inputs: Any) -> Mutation:
    actions = [Action(id="a", type="A", scope="global", input=one) for one in inputs]
    return Mutation("j-0", "d", "main", "global", tuple(actions))


def load(*inputs: Any) -> Load:
    actions = [StoredAction("a", "A", "global", "2024-05-01T12:00:00.000000Z", x) for x in inputs]
    return Load("j-0", "d", "main", "global", tuple(Incoming(action) for action in actions))


def test_a_job_has_one_scope() -> None:
    assert check_scopes("actions", ["local", "local"], SMALL) == "local"


@pytest.mark.parametrize(
    ("scopes", "error", "told"),
    [
        ([], InvalidInputError, "at least one operation"),
        (["global", "local"], InvalidInputError, "are of global, local"),
        (["a/b"], InvalidInputError, "operations.0.scope"),
        (["global"] * 4, TooLargeError, "number of operations in one job of 4 is over the limit 3"),
    ],
)
def test_scopes_that_cannot_be_one_jobs_are_refused(
    scopes: list[str], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        check_scopes("operations", scopes, SMALL)


def test_a_count_of_none_and_of_too_many_is_refused_by_field() -> None:
    check_count("ids", 3, SMALL)
    with pytest.raises(InvalidInputError, match="ids: must hold at least one id"):
        check_count("ids", 0, SMALL)
    with pytest.raises(TooLargeError, match="number of ids"):
        check_count("ids", 4, SMALL)


def test_a_job_within_its_limits_passes() -> None:
    check_size(mutation("x" * 100, "y"), SMALL)
    check_size(load("x" * 80, "y"), SMALL)


def test_an_action_that_is_too_large_is_named_with_the_limit() -> None:
    for job, what in (
        (mutation("x", "y" * 200), "actions.1"),
        (load("x", "y" * 200), "operations.1"),
    ):
        with pytest.raises(TooLargeError, match=f"{what} in bytes") as refusal:
            check_size(job, SMALL)
        assert refusal.value.facts["limit"] == 200


def test_a_job_that_is_too_large_as_a_whole_is_refused() -> None:
    for job in (mutation(*["x" * 100] * 10), load(*["x" * 80] * 10)):
        with pytest.raises(TooLargeError, match="job in bytes") as refusal:
            check_size(job, SMALL)
        assert refusal.value.facts["limit"] == 1_000


def test_what_no_json_can_say_is_refused_by_field() -> None:
    nested: dict[str, Any] = {}
    for _ in range(300):
        nested = {"a": nested}
    with pytest.raises(InvalidInputError, match="actions: cannot be stored"):
        check_size(mutation(nested), SMALL)
    with pytest.raises(InvalidInputError, match="operations: cannot be stored"):
        check_size(load(1 << 70), SMALL)
