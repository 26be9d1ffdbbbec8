"""A problem document read back as the error that it tells of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docreactor.pipeline.errors import JobNotReadyError, ReactorError
from docreactor.pipeline.job import JobResult
from docreactor.pipeline.problem import problem_name

_MEMBERS = frozenset({"type", "title", "status", "detail"})


def error_of(document: Mapping[str, Any]) -> ReactorError:
    """The error by its name, with its facts; ReactorError itself for a name not known here."""
    name = problem_name(dict(document))
    facts = {key: value for key, value in document.items() if key not in _MEMBERS}
    kind = _KINDS.get(name, ReactorError)
    if kind is ReactorError:
        facts["name"] = name
    error = kind.__new__(kind)
    ReactorError.__init__(error, str(document.get("detail", name)), **facts)
    if isinstance(error, JobNotReadyError):
        error.job = JobResult.model_validate(facts["job"])
    return error


def _every(kind: type[ReactorError]) -> Iterator[type[ReactorError]]:
    yield kind
    for inner in kind.__subclasses__():
        yield from _every(inner)


_KINDS = {kind.name(): kind for kind in _every(ReactorError)}
