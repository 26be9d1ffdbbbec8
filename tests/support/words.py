"""A model whose words depend on those before them, and one of whose actions may fail."""

from __future__ import annotations

from typing import Any

from docreactor.pipeline.model import DocumentModel

words = DocumentModel("test/words", state=dict)


@words.action
def add(state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """One word more; what it becomes depends on those before it."""
    return {"words": [*state.get("words", ()), given["word"]]}


@words.action
def drop(state: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The last word less; an error unless it is the one named."""
    before = list(state.get("words", ()))
    if not before or before[-1] != given["word"]:
        raise ValueError(f"the last word is not {given['word']}")
    return {"words": before[:-1]}


@words.upgrade(to=2)
def shout(state: dict[str, Any]) -> dict[str, Any]:
    """The same words in capitals."""
    return {"words": [word.upper() for word in state.get("words", ())]}
