"""What commits did to a folder, as the actions of its document."""

from __future__ import annotations

from collections.abc import Iterator

from docreactor.gateway.git.files import derived_id
from docreactor.gateway.git.folders import Folder, Move
from docreactor.gateway.requests import DEFAULT_SCOPE
from docreactor.pipeline.action import (
    ADD_RELATIONSHIP,
    DELETE_DOCUMENT,
    DOCUMENT_SCOPE,
    REMOVE_RELATIONSHIP,
    Action,
)
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.timestamp import Microseconds, render

FOLDER_TYPE = "example/folder"


def slug_of(path: str) -> str:
    """What a folder is found by: its path and a slash, so that no file has the same."""
    return f"{path}/"


def placement(folder: Folder) -> Action:
    """What says where the folder is."""
    return Action(
        id=derived_id(folder.begun, folder.where, "place"),
        type="PLACE",
        scope=DEFAULT_SCOPE,
        timestamp=render(folder.begun.stamp),
        input={"path": folder.path},
    )


def edge_actions(folder: Folder) -> Iterator[Action]:
    """An edge for each child that came, none for one that went; then the folder's end, if any."""
    for move in folder.moves:
        yield _edge(folder, move)
    if folder.removed is not None:
        newest = folder.moves[-1].stamp
        yield Action(
            id=derived_id(folder.removed, folder.where, "folder's deletion"),
            type=DELETE_DOCUMENT,
            scope=DOCUMENT_SCOPE,
            timestamp=render(Microseconds(newest + 1)),
            input={"document_id": folder.id},
        )


def _edge(folder: Folder, move: Move) -> Action:
    kind = "child's coming" if move.came else "child's going"
    return Action(
        id=derived_id(move.commit, move.child.path, f"{kind} {move.child.id}"),
        type=ADD_RELATIONSHIP if move.came else REMOVE_RELATIONSHIP,
        scope=DOCUMENT_SCOPE,
        timestamp=render(move.stamp),
        input={
            "source_id": folder.id,
            "target_id": move.child.id,
            "relationship_type": CHILD,
        },
    )
