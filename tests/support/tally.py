"""A model of which there are two releases, and what is asked of its documents."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from docreactor.agents.node import Node
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State
from tests.support.nodes import Site, live, site, until

TALLY = "test/tally"


class Tally(State):
    """A sum."""

    total: int = 0


class CountedTally(State):
    """A sum, and of how many."""

    total: int = 0
    count: int = 0


class Add(BaseModel):
    """One number."""

    amount: int


def release(version: int) -> DocumentModel:
    """The model as this release of its package has it."""
    model = DocumentModel(TALLY, state=Tally)

    @model.action
    def add(state: Tally, input: Add) -> Tally:
        return state.replace(total=state.total + input.amount)

    if version == 2:

        @model.upgrade(to=2, state=CountedTally)
        def count(state: Tally) -> CountedTally:
            return CountedTally(total=state.total)

        @model.action(type="ADD", version=2)
        def add_counted(state: CountedTally, input: Add) -> CountedTally:
            return CountedTally(total=state.total + input.amount, count=state.count + 1)

    return model


def tally_site(**settings: Any) -> Site:
    """One partition, whose workers have the first release."""
    place = site(**settings)
    place.models = (release(1),)
    return place


def creation(place: Site, document_id: str, version: int = 1) -> Mutation:
    """The job that creates a tally."""
    named = {"model": TALLY, "document_id": document_id}
    begun = named | {"from_version": 0, "to_version": version}
    actions: list[tuple[str, Any]] = [("CREATE_DOCUMENT", named), ("UPGRADE_DOCUMENT", begun)]
    return place.job(document_id, actions, scope="document")


def upgrade(place: Site, document_id: str) -> Mutation:
    """The job that takes a tally to the second release."""
    given = {"model": TALLY, "document_id": document_id, "from_version": 1, "to_version": 2}
    return place.job(document_id, [("UPGRADE_DOCUMENT", given)], scope="document")


def add(place: Site, document_id: str, amount: int) -> Mutation:
    """The job that adds a number."""
    return place.job(document_id, [("ADD", {"amount": amount})])


def shown(node: Node, document_id: str) -> Any:
    """What the documents table shows of a tally."""
    document = live(node).documents.document(document_id, "main")
    return None if document is None else document.state["global"]


def row(node: Node, name: str) -> dict[str, Any]:
    """What is told of the partition's reducer, or of its documents."""
    (found,) = (one for one in node.positions() if one["name"] == name)
    return found


async def waits(node: Node, name: str, lacking: str) -> None:
    """Wait until the agent says that it waits for the model, and what to do."""
    begin = f"UnknownModel: no {lacking} is loaded: name it with --models, or install its package"
    await until(lambda: str(row(node, name)["error"]).startswith(begin))
    told = row(node, name)
    assert told["state"] == "RUNNING"
    assert told["error"].endswith("; the partition waits, or goes to a worker that has it")
