"""The actions of a file, replayed through the model, give what git shows at every commit."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from docreactor.examples.files import files as model
from docreactor.gateway.demo.sample import Entry, Step, story, write_repository
from docreactor.gateway.git.changes import content_actions, created_at, deletion
from docreactor.gateway.git.contents import contents
from docreactor.gateway.git.files import File, read_files
from docreactor.gateway.git.history import Repository
from docreactor.gateway.git.program import answer
from docreactor.pipeline.action import Action
from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.timestamp import parse

LIMIT = 512 * 1024


def actions_of(path: Path, limit: int = LIMIT) -> dict[str, list[tuple[File, list[Action]]]]:
    """Every path's files with their actions."""
    found: dict[str, list[tuple[File, list[Action]]]] = {}
    with contents(path, text_bytes_max=limit) as source:
        for lives in read_files(Repository.open(path), lambda count: None):
            for file in lives:
                actions = list(content_actions(file, source, action_bytes_max=limit))
                found.setdefault(file.path, []).append((file, actions))
    return found


def only(path: Path, limit: int = LIMIT) -> list[Action]:
    (((_, actions),),) = actions_of(path, limit).values()
    return actions


def written(tmp_path: Path, *versions: bytes | Entry) -> Path:
    """A repository of one file and these versions of it."""
    entries = [v if isinstance(v, Entry) else Entry("a", v) for v in versions]
    steps = [Step(f"version {number}", (entry,)) for number, entry in enumerate(entries)]
    return write_repository(tmp_path / "r", steps)


def replayed(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """The state after each action, as JSON."""
    state, states = model.initial(1, "global"), []
    origin = Origin("id", "example/file", "main", "2024-01-01T00:00:00Z")
    for action in actions:
        # What travels is JSON.
        given = decode(encode(action.input))
        model.check(1, "global", action.type, given)
        context = Context(action.timestamp or "", action.id, None, origin)
        state = model.apply(1, "global", action.type, state, given, context)
        states.append(decode(model.write(1, "global", state)))
    return states


def test_every_revision_of_every_file_is_what_git_shows(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", story())

    for lives in actions_of(path).values():
        for file, actions in lives:
            states = replayed(actions)
            assert len(states) == len(file.versions)
            for change, state in zip(file.versions, states, strict=True):
                shown = answer(path, "show", f"{change.commit.id}:{file.path}")
                assert state["mode"] == change.mode
                assert state["commit"] == change.commit.id
                assert state["author"]["name"] == change.commit.author
                if state["kind"] == "text":
                    assert state["content"].encode() == shown
                else:
                    assert state["sha256"] == sha256(shown).hexdigest()


def test_a_small_change_of_a_text_is_an_edit(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(100)).encode()

    first, second = only(written(tmp_path, text, text.replace(b"50", b"fifty")))

    assert (first.type, second.type) == ("REPLACE", "EDIT")
    assert second.input["patches"] == [(395, 2, "fifty")]
    assert second.size < first.size


def test_a_change_of_everything_is_a_replacement(tmp_path: Path) -> None:
    versions = [bytes([letter]) * 50 for letter in b"abc"]

    assert [action.type for action in only(written(tmp_path, *versions))] == ["REPLACE"] * 3


def test_a_change_of_mode_is_an_edit_without_patches(tmp_path: Path) -> None:
    path = written(tmp_path, b"x\n" * 100, Entry("a", b"x\n" * 100, "100755"))

    actions = only(path)

    assert actions[1].input["patches"] == []
    assert [state["mode"] for state in replayed(actions)] == ["100644", "100755"]


def test_what_is_no_text_is_named_by_size_and_hash(tmp_path: Path) -> None:
    actions = only(written(tmp_path, b"text\n", b"\x00binary", b"\xff", b"text\n"))

    states = replayed(actions)

    assert [state["kind"] for state in states] == ["text", "binary", "binary", "text"]
    assert states[1]["sha256"] == sha256(b"\x00binary").hexdigest()
    assert (states[1]["size"], states[1]["content"]) == (7, "")


def test_text_over_the_bound_is_named_and_comes_back_whole(tmp_path: Path) -> None:
    # Escapes make the JSON of a text larger than its bytes.
    fits, escaped, large = b"x\n" * 100, b"\x01" * 900, b"x" * 2_000

    actions = only(written(tmp_path, fits, escaped, fits, large, fits), limit=1_500)

    assert {action.type for action in actions} == {"REPLACE"}
    states = replayed(actions)
    assert [state["kind"] for state in states] == ["text", "large", "text", "large", "text"]
    assert states[1]["sha256"] == sha256(escaped).hexdigest()
    assert all(action.size <= 1_500 for action in actions)


def test_a_link_is_its_target_and_a_submodule_its_commit(tmp_path: Path) -> None:
    target = Entry("a", b"target", "120000")
    submodule = Entry("a", b"1" * 40, "160000")

    states = replayed(only(written(tmp_path, target, submodule, b"a file again\n")))

    assert [(state["mode"], state["content"]) for state in states] == [
        ("120000", "target"),
        ("160000", f"Subproject commit {'1' * 40}\n"),
        ("100644", "a file again\n"),
    ]


def test_stamps_only_grow_within_each_scope_of_a_document(tmp_path: Path) -> None:
    gone = Entry("a", None)
    path = written(tmp_path, b"1", b"2", gone, b"3", gone)

    lives = actions_of(path)["a"]

    assert len(lives) == 2
    for file, actions in lives:
        created, end = parse(created_at(file.changes[0].commit)), deletion(file)
        assert end is not None and end.timestamp is not None
        stamps = [parse(action.timestamp or "") for action in actions]
        assert stamps == [change.commit.stamp for change in file.versions]
        # The version is set 1 µs after the creation; in its scope the deletion comes next.
        assert created + 1 == stamps[0] < parse(end.timestamp)


def test_ids_differ_between_actions_and_stay_between_readings(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r", story())

    first, second = (
        [action.id for lives in actions_of(path).values() for _, many in lives for action in many]
        for _ in range(2)
    )

    assert first == second
    assert len(set(first)) == len(first)
