"""How a refusal is told."""

from docreactor.pipeline.errors import ReactorError, RevisionMismatchError
from docreactor.pipeline.problem import problem, problem_name


def test_the_name_ends_the_type_and_the_facts_are_fields() -> None:
    told = problem(RevisionMismatchError(expected=3, actual=5))
    assert told["type"].endswith("/RevisionMismatch")
    assert (told["status"], told["expected"], told["actual"]) == (409, 3, 5)
    assert problem_name(told) == "RevisionMismatch"


def test_a_fact_that_is_not_known_is_left_out() -> None:
    assert "progress" not in problem(ReactorError("no", progress=None))
