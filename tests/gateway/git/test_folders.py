"""A folder is there while something is in it, and knows what came and went."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.git.files import read_files
from docreactor.gateway.git.folders import Folder, read_folders
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.program import answer


def folders_of(path: Path) -> dict[str, tuple[Folder, ...]]:
    files = read_files(Repository.open(path), lambda count: None)
    return {folders[0].path: folders for folders in read_folders(files)}


def written(tmp_path: Path, *commits: dict[str, bytes | None]) -> dict[str, tuple[Folder, ...]]:
    """The folders of a repository in which each commit leaves these paths so."""
    steps = [
        Step(f"{number}", tuple(Entry(path, content) for path, content in commit.items()))
        for number, commit in enumerate(commits)
    ]
    tmp_path.mkdir(exist_ok=True)
    return folders_of(write_repository(tmp_path / "r", steps))


def moves(folder: Folder) -> list[tuple[str, str, bool]]:
    """Commit, path and whether it came."""
    return [(move.commit.subject, move.child.path.decode(), move.came) for move in folder.moves]


def trees(path: Path, commit: str) -> dict[str, set[str]]:
    """What git says is in each folder after a commit."""
    lines = answer(path, "ls-tree", "-r", "-t", "-z", "--full-tree", commit).split(b"\0")
    found: dict[str, set[str]] = {"": set()}
    for line in lines[:-1]:
        facts, _, name = line.partition(b"\t")
        where = name.decode()
        found.setdefault(where.rpartition("/")[0], set()).add(where)
        if facts.startswith(b"040000"):
            found.setdefault(where, set())
    return found


def test_after_every_commit_the_folders_hold_what_git_says(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", story())
    lives = [folder for folders in folders_of(path).values() for folder in folders]

    for commit, _ in Repository.open(path).commits():
        shown: dict[str, set[str]] = {}
        for folder in lives:
            ended = folder.removed is not None and folder.removed.stamp <= commit.stamp
            if folder.begun.stamp <= commit.stamp and not ended:
                held: dict[str, str] = {}
                for move in folder.moves:
                    if move.commit.stamp > commit.stamp:
                        break
                    if move.came:
                        held[move.child.id] = move.child.path.decode()
                    else:
                        del held[move.child.id]
                shown[folder.path] = set(held.values())
        assert shown == trees(path, commit.id)


def test_the_first_path_brings_all_its_folders_and_the_last_takes_them(tmp_path: Path) -> None:
    folders = written(tmp_path, {"z": b"1"}, {"a/b/c": b"1"}, {"a/b/d": b"1"}, {"a/b/c": None})

    assert list(folders) == ["", "a", "a/b"]
    assert moves(folders[""][0]) == [("0", "z", True), ("1", "a", True)]
    assert moves(folders["a"][0]) == [("1", "a/b", True)]
    assert moves(folders["a/b"][0]) == [
        ("1", "a/b/c", True),
        ("2", "a/b/d", True),
        ("3", "a/b/c", False),
    ]
    assert all(folder.removed is None for (folder,) in folders.values())

    emptied = written(tmp_path / "emptied", {"z": b"1", "a/b/c": b"1"}, {"a/b/c": None})

    assert moves(emptied[""][0])[2:] == [("1", "a", False)]
    assert moves(emptied["a"][0])[1:] == [("1", "a/b", False)]
    removed = {path: folder.removed for path, (folder,) in emptied.items()}
    assert {path: one and one.subject for path, one in removed.items()} == {
        "": None,
        "a": "1",
        "a/b": "1",
    }


def test_a_rename_within_a_folder_leaves_it_and_one_out_of_it_ends_it(tmp_path: Path) -> None:
    folders = written(tmp_path, {"a/x": b"1"}, {"a/x": None, "a/y": b"1"}, {"a/y": None, "b": b""})

    (folder,) = folders["a"]
    assert moves(folder) == [
        ("0", "a/x", True),
        ("1", "a/y", True),
        ("1", "a/x", False),
        ("2", "a/y", False),
    ]
    assert folder.removed is not None and folder.removed.subject == "2"


def test_a_folder_that_returns_and_one_that_a_file_replaces_are_others(tmp_path: Path) -> None:
    folders = written(
        tmp_path, {"a/x": b"1"}, {"a/x": None, "a": b"1"}, {"a": None, "a/x": b"1"}, {"b": b""}
    )

    first, second = folders["a"]
    assert (first.removed is not None, second.removed) == (True, None)
    assert first.id != second.id
    root = folders[""][0]
    children = [(move.child.path.decode(), move.child.id, move.came) for move in root.moves]
    file = children[1][1]
    assert children[:5] == [
        ("a", first.id, True),
        ("a", file, True),
        ("a", first.id, False),
        ("a", second.id, True),
        ("a", file, False),
    ]


def test_the_repository_itself_stays_when_it_is_empty(tmp_path: Path) -> None:
    folders = written(tmp_path, {"a": b"1"}, {"a": None}, {"b": b"1"})

    (root,) = folders[""]
    assert root.removed is None
    assert [came for _, _, came in moves(root)] == [True, False, True]


def test_stamps_grow_also_where_one_commit_moves_many(tmp_path: Path) -> None:
    many: dict[str, bytes | None] = {f"{number}": b"1" for number in range(50)}
    (root,) = written(tmp_path, many, dict.fromkeys(many), many)[""]

    stamps = [root.begun.stamp, *(move.stamp for move in root.moves)]

    assert all(before < after for before, after in pairwise(stamps))
    assert root.moves[50].stamp == root.moves[50].commit.stamp


def test_ids_are_the_same_at_every_reading_and_after_later_commits(tmp_path: Path) -> None:
    steps = story()
    whole = folders_of(write_repository(tmp_path / "whole", steps))
    part = folders_of(write_repository(tmp_path / "part", steps[:40]))

    assert folders_of(tmp_path / "whole") == whole
    for path, folders in part.items():
        for folder, later in zip(folders, whole[path], strict=False):
            assert (folder.id, folder.moves) == (later.id, later.moves[: len(folder.moves)])
    ids = [folder.id for folders in whole.values() for folder in folders]
    assert len(set(ids)) == len(ids)


def test_very_deep_paths_are_folders_all_the_way(tmp_path: Path) -> None:
    folders = written(tmp_path, {"/".join("d" * 1_500): b"1"}, {"/".join("d" * 1_500): None})

    assert len(folders) == 1_500


def test_a_path_that_is_not_utf_8_shows_as_escapes(tmp_path: Path) -> None:
    folders = written(tmp_path, {"caf\udce9/x": b""})

    assert folders["caf\\xe9"][0].where == b"caf\xe9"
