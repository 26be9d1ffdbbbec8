"""What the measurements submit: the same bytes for the same numbers, on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from docreactor.agents.log import Entry
from docreactor.bench.stock import DOCUMENT_TYPE, SET_COUNT
from docreactor.pipeline.action import (
    ADD_RELATIONSHIP,
    CREATE_DOCUMENT,
    DOCUMENT_SCOPE,
    UPGRADE_DOCUMENT,
)
from docreactor.pipeline.canonical import encode
from docreactor.pipeline.edge import CHILD
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.keys import partition_for

ITEMS = 20
SCOPE = "global"
_BEGIN_MS = 1_700_000_000_000
_NOTES_CHARACTERS = 1 << 20
_WORDS = (
    *("action", "counted", "document", "early", "every", "keyframe", "late", "log", "offset"),
    *("operation", "partition", "position", "reader", "revision", "shelf", "stock", "table"),
    *("token", "view", "waits"),
)


class Job(NamedTuple):
    """One record of `actions`: where it goes, what it is, how many actions it asks for."""

    partition: int
    entry: Entry
    actions: int


@dataclass(frozen=True, slots=True)
class Workload:
    """`documents` of stock whose counts are set in turn, `input_bytes` of input each time."""

    partitions: int
    documents: int = 2_000
    input_bytes: int = 200

    def creations(self) -> Iterator[Job]:
        """One job per document: create it and give it its version."""
        draft = Draft(self.partitions, seed=1)
        for number in range(self.documents):
            yield draft.creation(document_id(number), DOCUMENT_TYPE)

    def changes(self, actions: int, *, per_job: int, seed: int = 2) -> Iterator[Job]:
        """Jobs of `per_job` actions each, over all documents in turn; the last one takes the rest.

        Another `seed` gives other ids and so other actions.
        """
        draft, inputs = Draft(self.partitions, seed=seed), self._inputs(seed)
        for job, first in enumerate(range(0, actions, per_job)):
            count = min(per_job, actions - first)
            asked = [(SET_COUNT, input) for input in islice(inputs, count)]
            yield draft.change(document_id(job % self.documents), asked)

    def _inputs(self, seed: int) -> Iterator[dict[str, Any]]:
        random = Random(seed)
        notes = _notes(random)
        number = 0
        while True:
            input: dict[str, Any] = {
                "count": random.randrange(1_000_000),
                "item": f"item-{number // self.documents % ITEMS:02}",
                "note": "",
            }
            padding = self.input_bytes - len(encode(input))
            start = random.randrange(_NOTES_CHARACTERS)
            input["note"] = notes[start : start + padding]
            yield input
            number += 1


def document_id(number: int) -> str:
    """The id of one of the documents."""
    return f"stock-{number:06}"


class Draft:
    """Makes jobs with ids of their own, as the gateway would. Another `seed` gives others."""

    def __init__(self, partitions: int, *, seed: int) -> None:
        self._partitions = partitions
        minter = IdMinter(lambda: _BEGIN_MS + seed, Random(seed).getrandbits)
        self._mint = minter.mint

    def creation(self, document_id: str, document_type: str) -> Job:
        """Create a document and give it its version."""
        create = {
            "branch": DEFAULT_BRANCH,
            "document_id": document_id,
            "meta": {},
            "model": document_type,
            "version": 0,
        }
        upgrade = {
            "document_id": document_id,
            "from_version": 0,
            "model": document_type,
            "to_version": 1,
        }
        asked = [(CREATE_DOCUMENT, create), (UPGRADE_DOCUMENT, upgrade)]
        return self._job(document_id, DOCUMENT_SCOPE, asked)

    def change(self, document_id: str, asked: list[tuple[str, dict[str, Any]]]) -> Job:
        """These actions, by type and input."""
        return self._job(document_id, SCOPE, asked)

    def relation(self, document_id: str, children: Iterable[str]) -> Job:
        """Make these the document's children."""
        asked = [
            (
                ADD_RELATIONSHIP,
                {"relationship_type": CHILD, "source_id": document_id, "target_id": child},
            )
            for child in children
        ]
        return self._job(document_id, DOCUMENT_SCOPE, asked)

    def _job(self, document_id: str, scope: str, asked: list[tuple[str, dict[str, Any]]]) -> Job:
        partition, mint = partition_for(document_id, self._partitions), self._mint
        job = {
            "actions": [
                {"id": mint(), "input": input, "scope": scope, "type": action_type}
                for action_type, input in asked
            ],
            "branch": DEFAULT_BRANCH,
            "document_id": document_id,
            "id": f"{mint()}-{partition}",
            "kind": "mutation",
            "scope": scope,
        }
        return Job(partition, Entry(document_id.encode(), encode(job)), len(asked))


def creation(document_id: str, document_type: str, partitions: int) -> Job:
    """The job that creates one document of version 1."""
    return Draft(partitions, seed=3).creation(document_id, document_type)


def changes(
    document_id: str, asked: Iterator[tuple[str, dict[str, Any]]], *, per_job: int, partitions: int
) -> Iterator[Job]:
    """One document's changes in their order, `per_job` to a job."""
    draft = Draft(partitions, seed=4)
    while some := list(islice(asked, per_job)):
        yield draft.change(document_id, some)


def _notes(random: Random) -> str:
    """Text that compresses as text does; long enough that no two notes are the same."""
    words: list[str] = []
    left = 2 * _NOTES_CHARACTERS
    while left > 0:
        word = random.choice(_WORDS)
        words.append(word)
        left -= len(word) + 1
    return " ".join(words)
