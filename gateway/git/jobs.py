"""The jobs that make a file's document, each ready to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from docreactor.gateway.git.changes import content_actions, deletion
from docreactor.gateway.git.contents import Contents
from docreactor.gateway.git.files import File
from docreactor.pipeline.action import Action
from docreactor.pipeline.settings import Settings

# A worker reduces a job in one go: neighbours wait no longer than this takes.
_ACTIONS_MAX = 200
_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Creation:
    """The job that begins the document."""

    file: File
    action_count: int = 2


@dataclass(frozen=True, slots=True)
class Submission:
    """A job of one scope's actions."""

    file: File
    actions: tuple[Action, ...]

    @property
    def action_count(self) -> int:
        return len(self.actions)


Job = Creation | Submission


def jobs_of(files: Iterable[File], contents: Contents, settings: Settings) -> Iterator[Job]:
    """The jobs of one path's files, in the order in which they must be done."""
    for file in files:
        yield Creation(file)
        actions = content_actions(file, contents, action_bytes_max=settings.action_bytes_max)
        for group in _groups(actions, settings):
            yield Submission(file, group)
        if (end := deletion(file)) is not None:
            yield Submission(file, (end,))


def action_count(file: File) -> int:
    """How many actions the jobs of a file hold together."""
    return 2 + len(file.changes)


def _groups(actions: Iterable[Action], settings: Settings) -> Iterator[tuple[Action, ...]]:
    count_max = min(_ACTIONS_MAX, settings.job_actions_max)
    bytes_max = min(_BYTES_MAX, settings.job_bytes_max // 2)
    group: list[Action] = []
    size = 0
    for action in actions:
        added = action.size
        if group and (len(group) == count_max or size + added > bytes_max):
            yield tuple(group)
            group, size = [], 0
        group.append(action)
        size += added
    if group:
        yield tuple(group)
