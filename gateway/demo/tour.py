"""The demo's tour: a whole history in, some of it out again, and all of it compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.client import Reactor
from docreactor.gateway.demo.questions import Questions
from docreactor.gateway.demo.reply import Reply
from docreactor.gateway.demo.tree import TreeQuestions
from docreactor.gateway.demo.witness import Listed, Witness
from docreactor.gateway.git.contents import contents
from docreactor.gateway.git.edges import slug_of
from docreactor.gateway.git.files import File
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.importing import Imported, import_history
from docreactor.pipeline.settings import Settings

_FILES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What the tour saw."""

    imported: Imported
    replies: Sequence[Reply]
    checked: int
    folders_checked: int
    check_s: float
    wrong: Sequence[str]

    @property
    def agrees(self) -> bool:
        """Whether git says the same of everything."""
        return not self.wrong and all(reply.agrees for reply in self.replies)


async def tour(
    repository: Repository, reactor: Reactor, settings: Settings, *, progress: Progress
) -> Report:
    """Import the history, ask for a few files in every way, then for all there is at its head."""
    imported = await import_history(repository, reactor, settings, progress=progress)
    with contents(repository.path, text_bytes_max=settings.action_bytes_max) as source:
        witness = Witness(repository, source)
        questions = Questions(reactor, witness, imported.token)
        listing = {listed.path: listed for listed in witness.listing()}
        progress(Step("Asking"))
        tree = TreeQuestions(reactor, witness, imported.token)
        replies = await _replies(questions, tree, imported.paths, listing)
        begun = perf_counter()
        checked, wrong = await questions.every_file(
            lambda count: progress(Step("Comparing every file", count, len(listing)))
        )
        folders, wrong_folders = await tree.every_folder(
            lambda count: progress(Step("Comparing every folder", count, imported.folders))
        )
    check_s = perf_counter() - begun
    return Report(imported, replies, checked, folders, check_s, [*wrong, *wrong_folders])


async def _replies(
    questions: Questions,
    tree: TreeQuestions,
    paths: Sequence[tuple[File, ...]],
    listing: dict[str, Listed],
) -> list[Reply]:
    replies: list[Reply] = []
    for path in _shown(paths):
        reply, document = await questions.file(listing[path])
        history, operations = await questions.history(document)
        replies += [reply, history]
        for index in sorted({0, len(operations) // 2}, reverse=True):
            replies.append(await questions.earlier(document, operations[index]))
        replies.append(await tree.ancestors(document))
    for folder in sorted({"/", *_parents(_shown(paths))}):
        replies.append(await tree.children(folder))
    removed = [files[-1] for files in paths if files[-1].removed is not None]
    for file in removed[:1]:
        replies += [await questions.removed(file), await tree.removed(file)]
    return replies


def _parents(paths: Iterable[str]) -> Iterator[str]:
    return (slug_of(path.rpartition("/")[0]) for path in paths)


def _shown(paths: Sequence[tuple[File, ...]]) -> list[str]:
    """The paths of the longest histories, and one that was gone and is back."""
    living = [files for files in paths if files[-1].removed is None]
    living.sort(key=lambda files: -len(files[-1].versions))
    returned = [files for files in living[_FILES_SHOWN:] if len(files) > 1]
    return [files[-1].path for files in (*living[:_FILES_SHOWN], *returned[:1])]
