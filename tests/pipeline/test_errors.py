"""Every way this can fail."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from docreactor.pipeline import errors
from docreactor.pipeline.errors import InvalidInputError, ReactorError

STATUS = {
    "RevisionMismatch": 409,
    "UnknownModel": 422,
    "UnknownAction": 422,
    "InvalidInput": 422,
    "DocumentNotFound": 404,
    "DocumentAlreadyExists": 409,
    "DocumentDeleted": 410,
    "ActionIdConflict": 409,
    "RevisionNotFound": 404,
    "InvalidToken": 422,
    "TokenOfAnotherLog": 409,
    "NotYetVisible": 504,
    "TooLarge": 413,
    "AmbiguousIdentifier": 409,
    "InvalidOperationTimestamp": 422,
    "ReducerTimeout": 422,
    "WorkerKilled": 500,
    "TooBusy": 429,
    "Restoring": 503,
    "JobNotReady": 504,
    "JobNotFound": 404,
}
"""What the HTTP contract promises; the others are this program's own business."""


def _tree(root: type[ReactorError]) -> Iterator[type[ReactorError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


EVERY = [kind for kind in _tree(ReactorError) if kind.__module__ == errors.__name__]
BY_NAME = {kind.name(): kind for kind in EVERY}


def test_every_error_of_the_file_is_in_the_one_tree() -> None:
    defined = {
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    }

    assert defined == set(EVERY)


def test_every_name_is_one_errors_alone() -> None:
    assert len(BY_NAME) == len(EVERY)
    assert all(kind.__name__ == f"{name}Error" for name, kind in BY_NAME.items())


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name())
def test_every_error_says_what_happened_and_has_a_status(kind: type[ReactorError]) -> None:
    assert kind.__doc__ is not None
    assert "__doc__" in vars(kind)
    assert kind.__doc__.split("\n")[0].endswith(".")
    assert 400 <= kind.status < 600


@pytest.mark.parametrize(("name", "status"), STATUS.items())
def test_a_promised_error_has_its_promised_status(name: str, status: int) -> None:
    assert BY_NAME[name].status == status


def test_an_error_carries_its_facts_and_one_sentence() -> None:
    error = InvalidInputError("text", "Field required")

    assert str(error) == error.message == "text: Field required"
    assert error.facts == {"field": "text", "reason": "Field required"}
    assert (error.name(), error.status) == ("InvalidInput", 422)
