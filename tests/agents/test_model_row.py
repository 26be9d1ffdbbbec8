"""What the deployment knows of one read model."""

from __future__ import annotations

from docreactor.agents.model_row import ModelRow, model_key


def test_a_read_model_begins_with_one_generation_and_users_ones_are_not_required() -> None:
    assert ModelRow.first("words", 3).json == {
        "epoch": 1,
        "generation": 0,
        "name": "words",
        "newest": 0,
        "required": False,
        "retired": False,
        "starts": {},
        "versions": {"0": 3},
    }
    assert ModelRow.first("documents", 1).is_required
    assert model_key("words") == "model/words"


def test_a_rebuild_adds_a_generation_and_a_roll_back_serves_the_one_before() -> None:
    row = ModelRow.first("words", 1).rebuilt(2, {0: 17})
    assert (row.generation, row.kept, row.version, row.epoch) == (1, [0, 1], 2, 2)
    assert (row.start(1, 0), row.start(1, 1), row.start(0, 0)) == (17, 0, 0)
    back = row.rolled_back()
    assert back is not None
    assert (back.generation, back.version) == (0, 1)
    assert back.rolled_back() is None
    assert back.rebuilt(1).generation == 2


def test_finishing_keeps_only_what_is_to_serve() -> None:
    row = ModelRow.first("words", 1).rebuilt(1, {0: 5}).rebuilt(1, {0: 9}).finished()
    assert (row.kept, row.generation) == ([2], 2)
    assert row.starts == {2: {0: 9}}


def test_no_generation_comes_twice() -> None:
    row = ModelRow.first("words", 1).rebuilt(1)
    back = row.rolled_back()
    assert back is not None
    assert back.finished().kept == [0]
    assert back.finished().rebuilt(1).generation == 2
    told = {name: value for name, value in row.json.items() if name != "newest"}
    assert ModelRow.parse(told).newest == 1


def test_it_is_retired_and_revived() -> None:
    row = ModelRow.first("words", 1).required()
    assert row.is_required
    assert (row.retired().is_required, row.retired().is_retired) == (False, True)
    revived = row.retired().revived()
    assert (revived.is_required, revived.is_retired) == (False, False)


def test_every_change_is_newer_than_what_it_changes_and_survives_the_board() -> None:
    row = ModelRow.first("words", 1).rebuilt(2, {3: 4}).required()
    assert row.epoch == 3
    assert ModelRow.parse(row.json) == row
