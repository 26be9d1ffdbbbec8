"""The jobs that make the document of a file or a folder, each ready to be sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from docreactor.gateway.git.changes import FILE_TYPE, content_actions, created_at, deletion
from docreactor.gateway.git.contents import Contents
from docreactor.gateway.git.edges import FOLDER_TYPE, edge_actions, placement, slug_of
from docreactor.gateway.git.files import File
from docreactor.gateway.git.folders import Folder
from docreactor.pipeline.action import Action
from docreactor.pipeline.settings import Settings

# A worker reduces a job in one go: neighbours wait no longer than this takes.
_ACTIONS_MAX = 200
_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Creation:
    """The job that begins a document."""

    document_id: str
    document_type: str
    slug: str
    name: str
    timestamp: str
    action_count: int = 2


@dataclass(frozen=True, slots=True)
class Submission:
    """A job of one scope's actions."""

    document_id: str
    actions: tuple[Action, ...]

    @property
    def action_count(self) -> int:
        return len(self.actions)


Job = Creation | Submission


def jobs_of(files: Iterable[File], contents: Contents, settings: Settings) -> Iterator[Job]:
    """The jobs of one path's files, in the order in which they must be done."""
    for file in files:
        name = file.path.rpartition("/")[2]
        yield Creation(file.id, FILE_TYPE, file.path, name, created_at(file.changes[0].commit))
        actions = content_actions(file, contents, action_bytes_max=settings.action_bytes_max)
        for group in _groups(actions, settings):
            yield Submission(file.id, group)
        if (end := deletion(file)) is not None:
            yield Submission(file.id, (end,))


def jobs_of_folders(folders: Iterable[Folder], settings: Settings) -> Iterator[Job]:
    """The jobs of one path's folders, in the order in which they must be done."""
    for folder in folders:
        slug = slug_of(folder.path)
        name = folder.path.rpartition("/")[2] or slug
        yield Creation(folder.id, FOLDER_TYPE, slug, name, created_at(folder.begun))
        yield Submission(folder.id, (placement(folder),))
        for group in _groups(edge_actions(folder), settings):
            yield Submission(folder.id, group)


def action_count(document: File | Folder) -> int:
    """How many actions the jobs of a file or a folder hold together."""
    if isinstance(document, File):
        return 2 + len(document.changes)
    return 3 + len(document.moves) + (document.removed is not None)


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
