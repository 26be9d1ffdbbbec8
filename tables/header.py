"""A document's header, and the row of each stream that it is told from."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from docreactor.pipeline.canonical import JSON, decode, encode
from docreactor.pipeline.document import Document
from docreactor.pipeline.header import (
    NAME,
    NO_FACTS,
    SLUG,
    Facts,
    meta,
    read_facts,
    write_facts,
)
from docreactor.tables.slugs import Claim

_LABEL = Struct(">q")
_TIME_BYTES = len("2000-01-01T00:00:00.000000Z")


@dataclass(frozen=True, slots=True)
class Header:
    """A document's header as its rows tell it.

    `revision` is the next index of each scope, `last_modified_at` the newest timestamp of all,
    `facts` what the operations of every scope say about it.
    """

    document: Document
    revision: dict[str, int]
    last_modified_at: str
    facts: Facts = field(default_factory=lambda: NO_FACTS)

    @property
    def slug(self) -> str:
        """What stands for the document beside its id."""
        said = self.facts.get(SLUG)
        return self.document.slug if said is None else said.value or self.document.id

    @property
    def claim(self) -> Claim | None:
        """A deleted document claims nothing; a document's own id needs no claim."""
        document, slug, said = self.document, self.slug, self.facts.get(SLUG)
        if document.is_deleted or slug == document.id:
            return None
        since = document.created_at if said is None else said.timestamp
        return Claim(slug, document.branch, since, document.id)

    @property
    def json(self) -> dict[str, JSON]:
        """The form that HTTP answers."""
        document, claim = self.document, self.claim
        return {
            "id": document.id,
            "document_type": document.document_type,
            "slug": self.slug,
            "name": document.name if NAME not in self.facts else self.facts[NAME].value,
            "branch": document.branch,
            "created_at": document.created_at,
            "last_modified_at": self.last_modified_at,
            "revision": self.revision,
            "protocol_versions": document.protocol_versions,
            "meta": meta(document.meta, self.facts),
            "is_deleted": document.is_deleted,
            "deleted_at": document.deleted_at,
            "slug_claimed_at": None if claim is None else claim.claimed_at,
        }


@dataclass(frozen=True, slots=True)
class ShownDocument:
    """A header and the JSON of scopes, all of one position."""

    header: Header
    state: dict[str, JSON]


def revision_row(label: int, latest: str, facts: Facts) -> bytes:
    """A stream's newest label and time, and what it says about the header."""
    said = encode(write_facts(facts)) if facts else b""
    return _LABEL.pack(label) + latest.encode() + said


def read_revision(value: bytes) -> tuple[int, str]:
    """The newest label and time of a stream's row."""
    return _LABEL.unpack_from(value)[0], value[_LABEL.size : _LABEL.size + _TIME_BYTES].decode()


def tells(value: bytes | None) -> bool:
    """Whether a stream says anything about its document's header."""
    return value is not None and len(value) > _LABEL.size + _TIME_BYTES


def read_facts_of(value: bytes) -> Facts:
    """What a stream's row says about the header."""
    if not tells(value):
        return NO_FACTS
    return read_facts(decode(value[_LABEL.size + _TIME_BYTES :]))
