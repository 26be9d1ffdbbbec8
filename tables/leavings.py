"""What is left of a document in the view's store once it is erased: every row is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.tables.catalogue import Catalogue
from docreactor.tables.header import Header
from docreactor.tables.slugs import release_row
from docreactor.tables.store import AnyRow, Row, Store

_STATE = b"s/"
_REVISION = b"r/"
_QUARANTINE = b"q/"
_AFTER_SLASH = b"0"


def ranges(document_id: str) -> list[tuple[bytes, bytes]]:
    """Where a document's states lie: from each first key to before the second."""
    starts = [b"%b%b/" % (space, document_id.encode()) for space in (_STATE, _REVISION)]
    return [(start, start[:-1] + _AFTER_SLASH) for start in starts]


def key_ranges(document_id: str, rows: Iterable[AnyRow]) -> list[tuple[bytes, bytes]]:
    """Where the rows lay that `left_rows` removes: as `ranges`, and each other key by itself."""
    whole = ranges(document_id)
    alone = [
        (key, key + b"\0") for key, _ in rows if not any(start <= key < end for start, end in whole)
    ]
    return [*whole, *alone]


def left_rows(
    store: Store, document_id: str, header: Callable[[str, str], Header | None]
) -> Iterator[AnyRow]:
    """What removes every row of a document; `header` reads one of a branch."""
    yield Row(_QUARANTINE + document_id.encode(), None)
    branches: set[str] = set()
    for start, end in ranges(document_id):
        for key in store.keys(start, end):
            yield Row(key, None)
            if key.startswith(_REVISION):
                branches.add(key.decode().split("/")[2])
    yield from Catalogue(store).left_rows(document_id)
    for branch in branches:
        try:
            found = header(document_id, branch)
        except UndecodableRecordError:
            continue
        if found is not None and found.claim is not None:
            yield release_row(found.claim)
