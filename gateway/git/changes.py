"""What commits did to a file, as the actions of its document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docreactor.gateway.git.contents import Content, Contents
from docreactor.gateway.git.files import File, derived_id
from docreactor.gateway.git.history import Change, Commit, Mode
from docreactor.gateway.git.patches import Patch, patches
from docreactor.gateway.requests import DEFAULT_SCOPE
from docreactor.pipeline.action import DELETE_DOCUMENT, DOCUMENT_SCOPE, Action
from docreactor.pipeline.timestamp import Microseconds, render

FILE_TYPE = "example/file"
# Patches rewrite the text one by one: beyond so many the whole is quicker to replay.
_PATCHES_MAX = 1_000


def created_at(begun: Commit) -> str:
    """When a document begins: its version is set an instant later, when its commit is stamped.

    So its first content has the commit's own stamp, and the next commit may remove it.
    """
    return render(Microseconds(begun.stamp - 1))


def content_actions(file: File, contents: Contents, *, action_bytes_max: int) -> Iterator[Action]:
    """One action for each commit that changed the file, in their order.

    Text is given whole at first and as patches where they are smaller; what is binary, or too
    large for one action, by size and SHA-256.
    """
    before: Content | None = None
    for change in file.versions:
        content = _content(change, contents)
        action = _action(change, "REPLACE", _replacement(file, content, action_bytes_max))
        if content.text is not None and action.size > action_bytes_max:
            content = Content(None, content.size, content.sha256)
            action = _action(change, "REPLACE", _named("large", content) | {"path": file.path})
        elif content.text is not None and before is not None and before.text is not None:
            changed = patches(before.text, content.text)
            edit = _action(change, "EDIT", {"patches": changed})
            if _is_part(changed, content.text) and edit.size < action.size:
                action = edit
        yield action
        before = content


def deletion(file: File) -> Action | None:
    """What ends the document, if a commit removed the file."""
    if file.removed is None:
        return None
    return Action(
        id=derived_id(file.removed, file.changes[-1].path, "deletion"),
        type=DELETE_DOCUMENT,
        scope=DOCUMENT_SCOPE,
        timestamp=render(file.removed.stamp),
        input={"document_id": file.id},
    )


def _is_part(changed: list[Patch], text: str) -> bool:
    inserted = sum(len(patch[2]) for patch in changed)
    return len(changed) <= _PATCHES_MAX and inserted < len(text)


def _content(change: Change, contents: Contents) -> Content:
    if change.mode == Mode.SUBMODULE:
        # Another repository's commit, in the words that git itself shows it with.
        return Content.of(f"Subproject commit {change.blob}\n".encode())
    return contents.read(change.blob)


def _replacement(file: File, content: Content, action_bytes_max: int) -> dict[str, Any]:
    if content.text is not None:
        return {"path": file.path, "content": content.text}
    kind = "large" if content.size > action_bytes_max else "binary"
    return _named(kind, content) | {"path": file.path}


def _named(kind: str, content: Content) -> dict[str, Any]:
    return {"kind": kind, "size": content.size, "sha256": content.sha256}


def _action(change: Change, type: str, what: dict[str, Any]) -> Action:
    commit = change.commit
    origin = {
        "commit": commit.id,
        "author_name": commit.author,
        "author_email": commit.email,
        "author_time": render(commit.authored),
        "message": commit.subject,
        "mode": change.mode,
    }
    return Action(
        id=derived_id(commit, change.path, "content"),
        type=type,
        scope=DEFAULT_SCOPE,
        timestamp=render(commit.stamp),
        input=origin | what,
    )
