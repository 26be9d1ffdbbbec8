"""Trees of documents, level by level."""

from __future__ import annotations

import pytest

from docreactor.gateway.cli.branches import Bough, show_tree, tree_of

CHILDREN = {"a": ["b", "c"], "b": ["d"], "c": ["d", "a"], "d": ["e"]}


def grow(document_id: str) -> Bough:
    return Bough([(one, "child") for one in CHILDREN.get(document_id, [])])


def test_a_tree_has_so_many_levels_and_each_documents_own_once() -> None:
    assert tree_of("a", grow, depth=1) == {
        "id": "a",
        "branches": [{"id": "b", "type": "child"}, {"id": "c", "type": "child"}],
    }
    whole = tree_of("a", grow, depth=9)
    below_b, below_c = (branch["branches"] for branch in whole["branches"])
    assert below_b[0]["branches"] == [{"id": "e", "type": "child", "branches": []}]
    assert below_c == [{"id": "d", "type": "child"}, {"id": "a", "type": "child"}]


def test_no_document_is_asked_for_twice() -> None:
    asked: list[str] = []

    def noting(document_id: str) -> Bough:
        asked.append(document_id)
        return grow(document_id)

    tree_of("a", noting, depth=9)
    assert sorted(asked) == ["a", "b", "c", "d", "e"]


def test_a_tree_is_drawn_with_what_stands_elsewhere_and_what_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def cut(document_id: str) -> Bough:
        return grow(document_id)._replace(more=document_id == "d")

    show_tree(tree_of("a", cut, depth=9))
    drawn = capsys.readouterr().out

    assert drawn.splitlines()[0] == "a"
    assert drawn.count("d child") == 2
    assert drawn.count("d child …") == 1
    assert "a child …" in drawn
    assert "and more" in drawn


def test_a_deep_tree_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    show_tree(tree_of("0", lambda one: Bough([(str(int(one) + 1), "child")]), depth=50))
    assert "50 child" in capsys.readouterr().out
