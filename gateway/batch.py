"""Batches as callers ask for them: planned, and made into jobs, before anything is enqueued."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

from msgspec.structs import replace

from docreactor.agents.node import Node
from docreactor.gateway.draft import Drafter
from docreactor.gateway.idempotency import ActionIds
from docreactor.gateway.requests import BatchedJob, BatchRequest, LoadRequest, SubmitRequest
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import InvalidInputError, ReactorError, TooLargeError
from docreactor.pipeline.ids import check_id
from docreactor.pipeline.job import Load, Mutation
from docreactor.pipeline.plan import Planned, plan

Known = Callable[[str, str], Document | None]
"""The document of this id and branch as far as this node knows it."""


class BatchDrafter:
    """Makes the jobs of a batch. What is refused names the job's key and leaves nothing behind."""

    def __init__(self, node: Node, known: Known) -> None:
        self._node = node
        self._drafter = Drafter(node)
        self._known = known

    def draft(self, asked: BatchRequest, key: str | None) -> Mapping[str, Mutation | Load]:
        """The jobs by their keys, in the order in which they are to be enqueued.

        With an idempotency key the ids of their actions are derived from it.
        """
        limit = self._node.settings.batch_jobs_max
        if not asked.jobs:
            raise InvalidInputError("jobs", "must hold at least one job")
        if len(asked.jobs) > limit:
            raise TooLargeError("number of jobs in one batch", limit=limit, actual=len(asked.jobs))
        jobs: dict[str, Mutation | Load] = {}
        for place in plan([Planned(one.key, one.depends_on) for one in asked.jobs]):
            one = asked.jobs[place]
            with _naming(one.key):
                job = self._job(one, key)
            waits_for = dict.fromkeys(jobs[dependency].id for dependency in one.depends_on)
            jobs[one.key] = replace(job, depends_on=tuple(waits_for))
        return jobs

    def _job(self, asked: BatchedJob, key: str | None) -> Mutation | Load:
        document_id = check_id(asked.document_id, field="document_id")
        if (asked.actions is None) == (asked.operations is None):
            raise InvalidInputError("actions", "must be given, or operations, and not both")
        if asked.operations is not None:
            if asked.expected_revision is not None:
                raise InvalidInputError("expected_revision", "is of actions: a load has none")
            load = LoadRequest(
                operations=asked.operations, branch=asked.branch, source=asked.source
            )
            return self._drafter.load(load, document_id)
        if asked.source is not None:
            raise InvalidInputError("source", "is of operations: actions have none")
        submit = SubmitRequest(
            actions=asked.actions or [],
            branch=asked.branch,
            expected_revision=asked.expected_revision,
        )
        seed = None if key is None else f"{key}/{asked.key}"
        ids = ActionIds(seed, document_id, self._node.mint)
        known = self._known(document_id, asked.branch)
        return self._drafter.submit(submit, document_id, ids, known)


@contextmanager
def _naming(key: str) -> Generator[None]:
    """Whatever is refused inside says of which job."""
    try:
        yield
    except InvalidInputError as error:
        field, reason = f"jobs.{key}.{error.facts['field']}", error.facts["reason"]
        named = InvalidInputError(field, reason)
        named.facts["key"] = key
        raise named from error
    except ReactorError as error:
        error.facts["key"] = key
        raise
