"""What one version of a model says about each scope."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.edition import Edition, Upgrade, editions
from docreactor.pipeline.errors import InvalidModelError
from docreactor.pipeline.form import Form, JsonForm
from docreactor.pipeline.reducer import Reducer


def _reducer(action_type: str, scope: str | None, version: int) -> Reducer:
    return Reducer(action_type, scope, version, _same, False, _same, dict)


def _same(value: Any) -> Any:
    return value


def _editions(
    reducers: list[tuple[str, str | None, int]],
    upgrades: dict[tuple[int, str | None], Upgrade] | None = None,
    forms: dict[str | None, Form] | None = None,
) -> dict[int, Edition]:
    return editions(
        "t/x",
        forms or {None: JsonForm()},
        {key: _reducer(*key) for key in reducers},
        upgrades or {},
    )


def _version_of(edition: Edition, scope: str, action_type: str) -> tuple[str | None, int]:
    reducer = edition.rules(scope).reducers[action_type]
    return reducer.scope, reducer.version


def test_a_model_without_versions_has_version_1() -> None:
    assert _editions([]).keys() == {1}


def test_a_reducer_serves_from_its_version_on_until_a_newer_one() -> None:
    made = _editions([("A", None, 1), ("A", None, 3), ("B", None, 2)])

    assert [_version_of(made[version], "any", "A")[1] for version in (1, 2, 3)] == [1, 1, 3]
    assert "B" not in made[1].rules("any").reducers
    assert _version_of(made[3], "any", "B")[1] == 2


def test_a_reducer_bound_to_a_scope_wins_there_and_is_nowhere_else() -> None:
    made = _editions([("A", None, 1), ("A", "local", 1), ("A", None, 2), ("B", "local", 1)])

    assert _version_of(made[2], "local", "A") == ("local", 1)
    assert _version_of(made[2], "global", "A") == (None, 2)
    assert "B" not in made[1].rules("global").reducers


def test_the_document_scope_belongs_to_the_platform() -> None:
    assert _editions([("A", None, 1)])[1].rules("document").reducers == {}


def test_the_scopes_are_global_and_the_named_ones() -> None:
    made = _editions([("A", "beta", 1)], forms={None: JsonForm(), "alpha": JsonForm()})

    assert made[1].scopes == ["alpha", "beta", "global"]


def test_an_upgrade_for_every_scope_leaves_alone_those_with_a_class_of_their_own() -> None:
    shared, own, new = JsonForm(), JsonForm(), JsonForm()
    step = Upgrade(_same, new)
    made = _editions([("A", "plain", 1)], {(2, None): step}, forms={None: shared, "local": own})

    assert made[1].rules("global").form is shared
    assert made[2].rules("global").form is made[2].rules("plain").form is new
    assert made[2].rules("plain").upgrade is _same
    assert made[2].rules("local").form is own
    assert made[2].rules("local").upgrade is None


def test_a_scope_gets_a_class_of_its_own_by_its_first_own_upgrade() -> None:
    second, third = JsonForm(), JsonForm()
    made = _editions(
        [],
        {
            (2, None): Upgrade(_same, second),
            (3, "local"): Upgrade(_same, None),
            (4, None): Upgrade(_same, third),
        },
    )

    assert made[2].rules("local").form is second
    assert made[3].rules("global").upgrade is None
    assert made[3].rules("local").form is second
    assert made[4].rules("local").form is second
    assert made[4].rules("local").upgrade is None
    assert made[4].rules("global").form is third


def test_a_gap_between_the_versions_is_refused() -> None:
    with pytest.raises(InvalidModelError, match="has version 4 but nothing of version 2"):
        _editions([("A", None, 4), ("A", None, 3)])
