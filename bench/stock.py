"""The model of the measurements: a small state that each action changes in one place."""

from __future__ import annotations

from pydantic import BaseModel, Field

from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State

DOCUMENT_TYPE = "bench/stock"
SET_COUNT = "SET_COUNT"


class Stock(State):
    """How many there are of each item."""

    counts: dict[str, int] = Field(default_factory=dict)


class Count(BaseModel):
    """The `note` is stored with the operation and no part of the state."""

    item: str
    count: int
    note: str


stock = DocumentModel(DOCUMENT_TYPE, state=Stock)


@stock.action
def set_count(state: Stock, input: Count) -> Stock:
    """Note what was counted."""
    return state.replace(counts={**state.counts, input.item: input.count})
