"""Trees of documents: what leads to one, or what it leads to, level by level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.markup import escape
from rich.tree import Tree

from docreactor.gateway.answers import JSONObject
from docreactor.gateway.cli.screen import console

_ELSEWHERE = "[dim]…[/]"


class Bough(NamedTuple):
    """What is next to a document, each with the type of the edge; `more` when that is not all."""

    documents: Sequence[tuple[str, str]]
    more: bool = False


def tree_of(document_id: str, grow: Callable[[str], Bough], *, depth: int) -> JSONObject:
    """So many levels around a document, each document's own ones where it is met first.

    `{"id", "type", "branches": […]}`: the document itself has no type, and there are no branches
    where they stand elsewhere in the tree or on a level that was not asked for.
    """
    root: JSONObject = {"id": document_id}
    met = {document_id}
    level = [root]
    for _ in range(depth):
        following: list[JSONObject] = []
        for node in level:
            bough = grow(node["id"])
            branches = [{"id": one, "type": edge_type} for one, edge_type in bough.documents]
            node["branches"] = branches
            if bough.more:
                node["more"] = True
            for branch in branches:
                if branch["id"] not in met:
                    met.add(branch["id"])
                    following.append(branch)
        level = following
    return root


def show_tree(root: JSONObject) -> None:
    """The tree for people. An ellipsis stands for branches that are elsewhere in it."""
    expanded: set[str] = set()
    waiting = [root]
    for node in waiting:
        if branches := node.get("branches"):
            expanded.add(node["id"])
            waiting += branches
    drawn = Tree(escape(root["id"]), highlight=False)
    hanging = [(drawn, root)]
    for place, node in hanging:
        for branch in node.get("branches", ()):
            at = place.add(_label(branch, elsewhere=branch["id"] in expanded))
            hanging.append((at, branch))
        if node.get("more"):
            place.add("[dim]and more[/]")
    console().print(drawn)


def _label(branch: JSONObject, *, elsewhere: bool) -> str:
    label = f"{escape(branch['id'])} [dim]{escape(branch['type'])}[/]"
    return f"{label} {_ELSEWHERE}" if elsewhere and "branches" not in branch else label
