"""Edges are the fold of what operations say, and changes are what became of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.edge import (
    POSITION_KEY,
    Change,
    Edge,
    EdgeKey,
    Edges,
    changes,
    edge_prefix,
    parse_edge_key,
    word,
)
from docreactor.pipeline.erased import erased_document
from docreactor.pipeline.errors import InvalidInputError, UndecodableRecordError
from docreactor.pipeline.operation import Operation, StoredAction

KEY = EdgeKey("a", "main", "child", "b")
ADD, UPDATE, REMOVE = "ADD_RELATIONSHIP", "UPDATE_RELATIONSHIP", "REMOVE_RELATIONSHIP"
NAMES = st.from_regex(r"[A-Za-z0-9._~+=@-]{1,64}", fullmatch=True)


def moment(at: int) -> str:
    return f"2026-01-02T03:04:05.{at:06d}Z"


def said(
    action_type: str,
    at: int = 0,
    *,
    target_id: str = "b",
    edge_type: str = "child",
    error: str | None = None,
    scope: str = "document",
    **more: Any,
) -> Operation:
    """An operation of document a about one of its edges."""
    given = {"source_id": "a", "target_id": target_id, "relationship_type": edge_type, **more}
    action = StoredAction(f"x{at}", action_type, scope, moment(at), given)
    return Operation("0" * 32, "t/x", at, 0, moment(at), "", None, error, action)


def folded(*operations: Operation) -> list[Edge]:
    edges = Edges(branch="main")
    for operation in operations:
        edges.apply(operation)
    return list(edges.current.values())


def made(created: int, updated: int, metadata: Any = None, weight: float | None = None) -> Edge:
    return Edge(
        source_id="a",
        branch="main",
        type="child",
        target_id="b",
        metadata=metadata,
        weight=weight,
        created_at=moment(created),
        updated_at=moment(updated),
    )


# Keys and values.


@given(source_id=NAMES, branch=NAMES, edge_type=NAMES, target_id=NAMES)
def test_a_key_comes_back_from_its_bytes_and_begins_as_its_source_says(
    source_id: str, branch: str, edge_type: str, target_id: str
) -> None:
    key = EdgeKey(source_id, branch, edge_type, target_id)

    assert parse_edge_key(key.encode()) == key
    assert key.encode().startswith(edge_prefix(source_id, branch))
    assert key.encode() != POSITION_KEY
    assert erased_document(key.encode()) is None


@pytest.mark.parametrize(
    "key", [b"", b"a", POSITION_KEY, b"a/", b"a/main/child", b"a/main//b", b"a/b/c/d/e", b"\xff///"]
)
def test_what_is_no_key_of_an_edge_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="no key of an edge|decode"):
        parse_edge_key(key)


def test_an_edges_bytes_are_canonical_and_give_it_back() -> None:
    for edge in (made(1, 2), made(1, 2, {"b": [1], "a": None}, 0.5), made(1, 2, 7, 0.0)):
        assert edge.encode() == encode(edge.json)
        assert Edge.decode(edge.encode()) == edge
        assert edge.key == KEY.encode()
        assert edge.name == KEY


def test_an_edge_without_a_weight_does_not_tell_of_one() -> None:
    assert made(1, 2).json == {
        "source_id": "a",
        "branch": "main",
        "type": "child",
        "target_id": "b",
        "metadata": None,
        "created_at": moment(1),
        "updated_at": moment(2),
    }
    assert made(1, 2, weight=0.0).json["weight"] == 0.0


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", made(1, 2).encode()[:-1] + b',"more":1}'])
def test_what_is_no_edge_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UndecodableRecordError, match="Edge"):
        Edge.decode(content)


# The fold.


def test_an_addition_makes_an_edge_and_a_second_one_changes_nothing() -> None:
    first = said(ADD, 1, metadata={"page": 1}, weight=2)

    assert folded(first) == [made(1, 1, {"page": 1}, 2.0)]
    assert folded(first, said(ADD, 2, metadata={"page": 9}, weight=7)) == folded(first)


def test_an_update_sets_metadata_and_weight_also_to_none_and_keeps_when_it_was_made() -> None:
    first = said(ADD, 1, metadata={"page": 1}, weight=2)

    assert folded(first, said(UPDATE, 5, metadata=[3])) == [made(1, 5, [3])]
    assert folded(first, said(UPDATE, 5, weight=1.5)) == [made(1, 5, None, 1.5)]
    assert folded(said(UPDATE, 5, metadata=[3])) == []


def test_a_removal_removes_and_a_second_one_changes_nothing() -> None:
    assert folded(said(ADD, 1), said(REMOVE, 2), said(REMOVE, 3)) == []
    assert folded(said(ADD, 1), said(REMOVE, 2), said(ADD, 3)) == [made(3, 3)]


def test_edges_of_other_types_and_targets_are_others() -> None:
    found = folded(
        said(ADD, 1), said(ADD, 2, edge_type="cites"), said(ADD, 3, target_id="c"), said(REMOVE, 4)
    )

    assert [(edge.type, edge.target_id) for edge in found] == [("cites", "b"), ("child", "c")]


def test_what_was_refused_and_what_is_of_another_kind_says_nothing() -> None:
    assert folded(said(ADD, 1, error="InvalidInput"), said("SET_NAME", 2)) == []
    assert folded(said(ADD, 1), said(REMOVE, 2, error="InvalidInput")) == [made(1, 1)]
    assert folded(said(ADD, 1, scope="global")) == []


def test_the_time_is_the_actions() -> None:
    operation = said(ADD, 1)
    later = Operation(
        "0" * 32, "t/x", 1, 0, moment(9), "", None, None, StoredAction(**_fields(operation.action))
    )

    assert folded(later) == [made(1, 1)]


def _fields(action: StoredAction) -> dict[str, Any]:
    return {name: getattr(action, name) for name in action.__struct_fields__}


def test_a_fold_goes_on_from_edges_that_are_known() -> None:
    edges = Edges([made(1, 1, 5)], branch="main")
    edges.apply(said(UPDATE, 2, metadata=6))

    assert edges.current == {KEY: made(1, 2, 6)}


def test_an_operation_that_no_reducer_can_have_let_through_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="weight"):
        word(said(ADD, 1, weight="heavy"), "main")
    with pytest.raises(InvalidInputError, match="target_id"):
        word(said(REMOVE, 1, target_id="a/b"), "main")


def test_metadata_of_any_depth_of_json_is_kept_and_encoded() -> None:
    metadata = {"z": [1, {"y": None}], "a": {"b": True, "c": 1.5}}
    (edge,) = folded(said(ADD, 1, metadata=metadata))

    assert Edge.decode(edge.encode()).metadata == metadata


# Changes.


def test_changes_are_told_in_the_order_of_keys_and_only_where_something_changed() -> None:
    keys = [EdgeKey("a", "main", "child", one) for one in "bcde"]
    edges = {key: _to(key, 1) for key in keys}
    after = {keys[3]: edges[keys[3]], keys[2]: _to(keys[2], 2), keys[0]: edges[keys[0]]}
    after[EdgeKey("a", "main", "child", "a1")] = _to(EdgeKey("a", "main", "child", "a1"), 3)

    assert changes(edges, after) == [
        Change(
            EdgeKey("a", "main", "child", "a1"),
            _to(EdgeKey("a", "main", "child", "a1"), 3),
            "added",
        ),
        Change(keys[1], None, "removed"),
        Change(keys[2], _to(keys[2], 2), "updated"),
    ]


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), ([0], [False])])
def test_values_that_only_python_takes_for_the_same_are_a_change(one: Any, other: Any) -> None:
    found = changes({KEY: made(1, 1, one)}, {KEY: made(1, 1, other)})

    assert [change.kind for change in found] == ["updated"]


def _to(key: EdgeKey, updated: int) -> Edge:
    return Edge(
        source_id=key.source_id,
        branch=key.branch,
        type=key.type,
        target_id=key.target_id,
        metadata=None,
        created_at=moment(1),
        updated_at=moment(updated),
    )
