"""A model that notices every lost, doubled or swapped action: each entry chains the one before."""

from __future__ import annotations

from hashlib import sha256

from pydantic import BaseModel

from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State


class Ledger(State):
    """How many entries there were, their sum, and a digest over all of them in order."""

    count: int = 0
    total: int = 0
    chain: str = ""


class Add(BaseModel):
    """One entry."""

    amount: int


ledger = DocumentModel("test/ledger", state=Ledger)


@ledger.action
def add(state: Ledger, input: Add) -> Ledger:
    """Append an entry."""
    return after(state, input.amount)


def after(state: Ledger, amount: int) -> Ledger:
    """What an entry makes of a ledger: said once, for the model and for whoever checks it."""
    return Ledger(
        count=state.count + 1,
        total=state.total + amount,
        chain=sha256(f"{state.chain}|{amount}".encode()).hexdigest()[:16],
    )


def fold(amounts: list[int]) -> Ledger:
    """What these entries make of a new ledger."""
    state = Ledger()
    for amount in amounts:
        state = after(state, amount)
    return state
