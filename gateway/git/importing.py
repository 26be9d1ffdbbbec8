"""The import of a history: files and folders are documents, commits' changes their actions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from time import perf_counter

from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.client import Reactor
from docreactor.gateway.git.contents import contents
from docreactor.gateway.git.files import File, read_files
from docreactor.gateway.git.folders import Folder, read_folders
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.jobs import (
    Creation,
    Job,
    Submission,
    action_count,
    jobs_of,
    jobs_of_folders,
)
from docreactor.pipeline.inputs import SLUG_CHARACTERS_MAX
from docreactor.pipeline.position import Position
from docreactor.pipeline.settings import Settings

# The HTTP client keeps twenty connections open: more would be made anew each time.
DOCUMENTS_AT_ONCE = 16
_JOB_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `token` makes any read show all of it."""

    head: str
    paths: Sequence[tuple[File, ...]]
    tree: Sequence[tuple[Folder, ...]]
    commits: int
    actions: int
    jobs: int
    read_s: float
    import_s: float
    token: str

    @property
    def files(self) -> int:
        """How many documents of files there are: one for each life of a path."""
        return sum(map(len, self.paths))

    @property
    def folders(self) -> int:
        """How many documents of folders there are, the repository's own among them."""
        return sum(map(len, self.tree))

    @property
    def skipped(self) -> int:
        """Commits that changed no file."""
        told = {change.commit.id for files in self.paths for one in files for change in one.changes}
        return self.commits - len(told)

    @property
    def actions_per_s(self) -> float:
        """Actions imported in a second, the reading of contents included."""
        return self.actions / self.import_s if self.import_s else 0.0

    @property
    def commits_per_s(self) -> float:
        """Commits read in a second, without the contents."""
        return self.commits / self.read_s if self.read_s else 0.0


async def import_history(
    repository: Repository, reactor: Reactor, settings: Settings, *, progress: Progress
) -> Imported:
    """Import it; a second import finds all its ids known and stores nothing.

    Each path's jobs are done in their order; paths side by side, the folders' first. When it
    returns, every change is stored; the first job that fails ends the import with its error.
    """
    begun = perf_counter()
    total = repository.commit_count
    paths = await asyncio.to_thread(
        read_files, repository, lambda count: progress(Step("Reading the history", count, total))
    )
    tree = await asyncio.to_thread(read_folders, paths)
    read = perf_counter()
    actions = sum(action_count(folder) for folders in tree for folder in folders)
    actions += sum(action_count(file) for files in paths for file in files)
    with contents(repository.path, text_bytes_max=settings.action_bytes_max) as source:
        work = Import(reactor, total=actions)
        try:
            await work.run(
                chain(
                    (jobs_of_folders(folders, settings) for folders in tree),
                    (jobs_of(files, source, settings) for files in paths),
                ),
                progress,
            )
        except ExceptionGroup as failed:
            # Paths go side by side and fail side by side: the first tells enough.
            raise failed.exceptions[0] from None
    return Imported(
        head=repository.head,
        paths=paths,
        tree=tree,
        commits=repository.commit_count,
        actions=work.done,
        jobs=work.jobs,
        read_s=read - begun,
        import_s=perf_counter() - read,
        token="" if work.position is None else work.position.token,
    )


class Import:
    """One import under way."""

    def __init__(self, reactor: Reactor, *, total: int) -> None:
        self._reactor = reactor
        self._total = total
        self.done = 0
        self.jobs = 0
        self.position: Position | None = None

    async def run(self, documents: Iterable[Iterator[Job]], progress: Progress) -> None:
        """Do the jobs of all of these documents."""
        waiting = iter(documents)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(DOCUMENTS_AT_ONCE):
                tasks.create_task(self._work(waiting, progress))

    async def _work(self, waiting: Iterator[Iterator[Job]], progress: Progress) -> None:
        for jobs in waiting:
            while (job := await asyncio.to_thread(next, jobs, None)) is not None:
                if isinstance(job, Creation):
                    await self._create(job)
                else:
                    await self._submit(job)
                self.jobs += 1
                self.done += job.action_count
                progress(Step("Importing", self.done, self._total))

    async def _create(self, job: Creation) -> None:
        """Not awaited: what is submitted next is stored only if the document exists by then."""
        await self._reactor.create(
            job.document_type,
            id=job.document_id,
            slug=job.slug if len(job.slug) <= SLUG_CHARACTERS_MAX else None,
            name=job.name,
            timestamp=job.timestamp,
            # The creation's action ids derive from it.
            idempotency_key=job.document_id,
        )

    async def _submit(self, job: Submission) -> None:
        answered = await self._reactor.submit(
            job.document_id,
            [action.json for action in job.actions],
            wait="write",
            timeout_ms=_JOB_TIMEOUT_MS,
        )
        log_id = answered.token.partition(".")[0]
        position = Position.parse(answered.token, log_id=log_id)
        self.position = position if self.position is None else self.position.merge(position)
