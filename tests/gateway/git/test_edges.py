"""A folder's actions: where it is, an edge per child, and its end."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from docreactor.examples.files import folders as model
from docreactor.gateway.demo.sample import story, write_repository
from docreactor.gateway.git.edges import edge_actions, placement, slug_of
from docreactor.gateway.git.files import read_files
from docreactor.gateway.git.folders import read_folders
from docreactor.gateway.git.history import Repository
from docreactor.pipeline.inputs import check_base
from docreactor.pipeline.timestamp import parse
from tests.gateway.git.test_folders import written


def test_a_child_that_came_has_an_edge_and_one_that_went_has_none(tmp_path: Path) -> None:
    (folder,) = written(
        tmp_path, {"a/x": b"1", "z": b""}, {"a/x": None, "a/y": b""}, {"a/y": None}
    )["a"]

    actions = list(edge_actions(folder))

    x, y = folder.moves[0].child.id, folder.moves[1].child.id
    assert [(one.type, one.input.get("target_id")) for one in actions] == [
        ("ADD_RELATIONSHIP", x),
        ("ADD_RELATIONSHIP", y),
        ("REMOVE_RELATIONSHIP", x),
        ("REMOVE_RELATIONSHIP", y),
        ("DELETE_DOCUMENT", None),
    ]
    assert {one.input["relationship_type"] for one in actions[:-1]} == {"child"}


def test_stamps_only_grow_after_the_folder_has_its_version(tmp_path: Path) -> None:
    (folder,) = written(tmp_path, {"a/x": b"1", "a/y": b""}, {"a/x": None, "a/y": None})["a"]

    stamps = [parse(action.timestamp or "") for action in edge_actions(folder)]

    assert all(before < after for before, after in pairwise([folder.begun.stamp, *stamps]))
    assert parse(placement(folder).timestamp or "") == folder.begun.stamp


def test_every_action_is_one_that_the_model_takes_and_has_an_id_of_its_own(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", story())
    files = read_files(Repository.open(path), lambda count: None)
    ids: list[str] = []

    for lives in read_folders(files):
        for folder in lives:
            placed = placement(folder)
            model.check(1, placed.scope, placed.type, placed.input)
            edges = list(edge_actions(folder))
            for action in edges:
                check_base(model.document_type, action.scope, action.type, action.input)
            ids += [action.id for action in (placed, *edges)]

    assert len(set(ids)) == len(ids)


def test_no_file_is_found_by_what_a_folder_is_found_by() -> None:
    assert (slug_of("a/b"), slug_of("")) == ("a/b/", "/")
