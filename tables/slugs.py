"""Which documents claim which slug."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import groupby
from struct import Struct
from typing import NamedTuple

from docreactor.tables.store import Row, Store

_SPACE = b"g/"
_SPACE_END = b"g0"
_AFTER_BRANCHES = b"\xff"
_LENGTH = Struct(">I")
_TIME_BYTES = len("2000-01-01T00:00:00.000000Z")


class Claim(NamedTuple):
    """One document's wish for a slug on its branch. Of several the newest is answered."""

    slug: str
    branch: str
    claimed_at: str
    document_id: str


class Slugs:
    """The claims of one partition's documents."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claims(self, slug: str, branch: str) -> list[Claim]:
        """Who claims a slug, the newest first: by time, then by document id."""
        start = _prefix(slug, branch)
        keys = self._store.keys(start, start[:-1] + b"0", reverse=True)
        return [_claim(key) for key in keys]

    def newest(self, slug: str, branch: str) -> Claim | None:
        """The claim that stands."""
        start = _prefix(slug, branch)
        for key in self._store.keys(start, start[:-1] + b"0", reverse=True):
            return _claim(key)
        return None

    def find(self, slug: str, branch: str) -> str | None:
        """The document that a slug stands for."""
        claim = self.newest(slug, branch)
        return None if claim is None else claim.document_id

    def listed(self, branch: str, after: str) -> Generator[tuple[str, list[Claim]]]:
        """The slugs after this one in the order of `slug_order`, from the first after ''.

        Each with who claims it on the branch, the newest first, or nobody.
        """
        start = _SPACE if not after else _slug_prefix(after) + _AFTER_BRANCHES
        claims = map(_claim, self._store.keys(start, _SPACE_END))
        for slug, group in groupby(claims, key=lambda claim: claim.slug):
            yield slug, [claim for claim in group if claim.branch == branch][::-1]

    def contested(self) -> Iterator[list[Claim]]:
        """The claims of every slug that several documents of a branch claim, oldest first."""
        claims = map(_claim, self._store.keys(_SPACE, _SPACE_END))
        for _, group in groupby(claims, key=lambda claim: (claim.slug, claim.branch)):
            rivals = list(group)
            if len(rivals) > 1:
                yield rivals


def slug_order(slug: str) -> tuple[int, bytes]:
    """What slugs are listed by: the shorter first."""
    text = slug.encode()
    return len(text), text


def claim_row(claim: Claim) -> Row:
    """What making a claim writes."""
    return Row(_key(claim), b"")


def release_row(claim: Claim) -> Row:
    """What giving it up writes."""
    return Row(_key(claim), None)


def _slug_prefix(slug: str) -> bytes:
    # The length in front keeps any text apart from what follows it.
    text = slug.encode()
    return b"%b%b%b" % (_SPACE, _LENGTH.pack(len(text)), text)


def _prefix(slug: str, branch: str) -> bytes:
    return b"%b%b/" % (_slug_prefix(slug), branch.encode())


def _key(claim: Claim) -> bytes:
    owner = claim.claimed_at + claim.document_id
    return _prefix(claim.slug, claim.branch) + owner.encode()


def _claim(key: bytes) -> Claim:
    (length,) = _LENGTH.unpack_from(key, len(_SPACE))
    start = len(_SPACE) + _LENGTH.size
    branch, _, owner = key[start + length :].decode().partition("/")
    slug = key[start : start + length].decode()
    return Claim(slug, branch, owner[:_TIME_BYTES], owner[_TIME_BYTES:])
