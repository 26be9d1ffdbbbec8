"""What git itself says of a repository: asked in other words than the import asks."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.gateway.git.contents import Content, Contents
from docreactor.gateway.git.history import Mode, Repository
from docreactor.gateway.git.program import answer

_TREE = "040000"


@dataclass(frozen=True, slots=True)
class Listed:
    """A path as a commit's tree lists it."""

    path: str
    mode: str
    blob: str


class Witness:
    """Tells what is true of a repository at the commit that was imported."""

    def __init__(self, repository: Repository, contents: Contents) -> None:
        self._repository = repository
        self._contents = contents

    def listing(self) -> list[Listed]:
        """Every path that is there."""
        lines = self._ask("ls-tree", "-r", "-z", "--full-tree", self._repository.head)
        return [_listed(line) for line in lines.split(b"\0") if line]

    def folders_of(self, path: str) -> list[str]:
        """The folders that a path is in, nearest first, each with a slash; "/" is the last."""
        lines = self._ask("ls-tree", "-t", "-z", "--full-tree", self._repository.head, "--", path)
        entries = [_listed(line) for line in lines.split(b"\0") if line]
        trees = [entry.path for entry in entries if entry.mode == _TREE]
        return [f"{tree}/" for tree in reversed(trees)] + ["/"]

    def trees(self) -> dict[str, set[str]]:
        """What is in each folder: paths, those of folders with a slash."""
        lines = self._ask("ls-tree", "-r", "-t", "-z", "--full-tree", self._repository.head)
        found: dict[str, set[str]] = {"/": set()}
        for entry in (_listed(line) for line in lines.split(b"\0") if line):
            name = f"{entry.path}/" if entry.mode == _TREE else entry.path
            found.setdefault(f"{entry.path.rpartition('/')[0]}/", set()).add(name)
        return found

    def content(self, listed: Listed) -> Content:
        """What the path holds."""
        if listed.mode == Mode.SUBMODULE:
            return Content.of(f"Subproject commit {listed.blob}\n".encode())
        return self._contents.read(listed.blob)

    def content_at(self, commit: str, path: str) -> Content:
        """What the path held after a commit: `git show commit:path`."""
        return Content.of(self._ask("show", f"{commit}:{path}"))

    def commits(self, path: str) -> list[str]:
        """The commits that made the path what it is since it last came, oldest first."""
        log = ("log", "--first-parent", "-m", "--no-renames", "--reverse", "--format=%H")
        where = (self._repository.head, "--", f":(top,literal){path}")
        touched = self._ask(*log, *where).decode().split()
        removed = set(self._ask(*log, "--diff-filter=D", *where).decode().split())
        since = max((number for number, id in enumerate(touched, 1) if id in removed), default=0)
        return touched[since:]

    def _ask(self, *arguments: str) -> bytes:
        return answer(self._repository.path, *arguments)


def _listed(line: bytes) -> Listed:
    facts, _, path = line.partition(b"\t")
    mode, _, blob = facts.decode().split(" ")
    return Listed(path.decode(errors="backslashreplace"), mode, blob)
