"""The operation store: a materialised partition of `operations`, with its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from struct import Struct
from typing import NamedTuple

from docreactor.pipeline.canonical import digest
from docreactor.pipeline.erased import Erased
from docreactor.pipeline.keys import INDEX_DIGITS, Stream
from docreactor.pipeline.timestamp import parse
from docreactor.tables import fields
from docreactor.tables.lasting import Lasting
from docreactor.tables.store import AnyRow, Row, Store

_OPERATION = b"o/"
_ACTION = b"a/"
_HEAD = b"h/"
_HEAD_END = b"h0"
_AFTER_SLASH = b"0"
"""The byte after `/`: where the keys of a prefix that ends in a slash end."""

_INDEX = Struct(">q")
_NUMBERS = Struct(">qqqq")
_pack_index = _INDEX.pack


class Head(NamedTuple):
    """Where a stream stands.

    `next_index` is its revision. `latest_us` is its newest timestamp, which a reshuffle may leave
    at a lower index. `previous` is the digest of the newest stored bytes. `keyframe_label` is -1
    while no keyframe was stored; `bytes_since_keyframe` counts the operations after it.
    """

    next_index: int
    latest_us: int
    previous: str | None
    keyframe_label: int
    bytes_since_keyframe: int


class OperationsTable:
    """Every operation ever stored of one partition, by stream and index.

    It reads the store and makes rows for it; whoever calls writes them, with the position.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lasting = Lasting(store)
        """What is known of whole documents."""

    def head(self, stream: Stream) -> Head | None:
        """None for a stream without operations."""
        return _head(self._store.get(_HEAD + stream.prefix.encode()))

    def heads(self, streams: Sequence[Stream]) -> list[Head | None]:
        """As `head`, in the order asked."""
        keys = [_HEAD + stream.prefix.encode() for stream in streams]
        return [_head(value) for value in self._store.get_many(keys)]

    def scopes(self, document_id: str, branch: str) -> dict[str, Head]:
        """The heads of every scope of one branch of a document."""
        start = b"%b%b/" % (_HEAD, document_id.encode())
        found: dict[str, Head] = {}
        for key, value in self._store.scan(start, start[:-1] + _AFTER_SLASH):
            _, _, scope, of_branch, _ = key.decode().split("/")
            head = _head(value)
            if of_branch == branch and head is not None:
                found[scope] = head
        return found

    def streams(self) -> Iterator[tuple[Stream, Head]]:
        """Every stream and where it stands, those of a document next to each other."""
        return self._streams(_HEAD, _HEAD_END)

    def streams_of(self, document_id: str) -> list[tuple[Stream, Head]]:
        """A document's streams on all its branches."""
        start = b"%b%b/" % (_HEAD, document_id.encode())
        return list(self._streams(start, start[:-1] + _AFTER_SLASH))

    def documents_after(self, document_id: str, count_max: int) -> list[str]:
        """The next documents that have operations, in the order of their keys."""
        start = _HEAD + (document_id.encode() + _AFTER_SLASH if document_id else b"")
        found = groupby(self._streams(start, _HEAD_END), key=lambda pair: pair[0].document_id)
        return [name for name, _ in islice(found, count_max)]

    def _streams(self, start: bytes, end: bytes) -> Iterator[tuple[Stream, Head]]:
        for key, value in self._store.scan(start, end):
            document_id, scope, branch, _ = key[len(_HEAD) :].decode().split("/")
            head = _head(value)
            if head is not None:
                yield Stream(document_id, scope, branch), head

    def stream_count(self) -> int:
        """How many streams there are; it looks at every one."""
        return sum(1 for _ in self._store.keys(_HEAD, _HEAD_END))

    def get(self, stream: Stream, index: int) -> bytes | None:
        """The stored bytes of one operation."""
        return self._store.get(_operation_key(stream, index))

    def get_many(self, stream: Stream, indexes: Sequence[int]) -> list[bytes | None]:
        """As `get`, in the order asked."""
        return list(self._store.get_many([_operation_key(stream, i) for i in indexes]))

    def page(self, stream: Stream, first_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index on, ascending."""
        end = (_OPERATION + stream.prefix.encode())[:-1] + _AFTER_SLASH
        return self._take(_operation_key(stream, first_index), end, count_max)

    def page_back(self, stream: Stream, last_index: int, count_max: int) -> list[tuple[int, bytes]]:
        """Operations from this index downwards, descending."""
        start = _OPERATION + stream.prefix.encode()
        end = _operation_key(stream, last_index + 1)
        return self._take(start, end, count_max, reverse=True)

    def _take(
        self, start: bytes, end: bytes, count_max: int, *, reverse: bool = False
    ) -> list[tuple[int, bytes]]:
        rows = self._store.scan(start, end, reverse=reverse)
        return [(int(key[-INDEX_DIGITS:]), value) for key, value in islice(rows, count_max)]

    def index_of(self, stream: Stream, action_id: str) -> int | None:
        """The newest index at which an action was stored, in whichever scope of the branch."""
        return self.indexes_at([action_key(stream, action_id)])[0]

    def indexes_at(self, action_keys: Sequence[bytes]) -> list[int | None]:
        """As `index_of`, by `action_key`, in the order asked, in one look-up."""
        return [
            None if value is None else _INDEX.unpack(value)[0]
            for value in self._store.get_many(action_keys)
        ]

    def erased(self, document_id: str) -> Erased | None:
        """What stays of a document that was erased."""
        return self.lasting.erased(document_id)

    def head_row(self, stream: Stream, head: Head) -> Row:
        """What moving a stream's head writes."""
        return _head_row(stream.prefix.encode(), head)

    def restore_rows(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[AnyRow]:
        """What records of the topic write, in the topic's order, updated heads included.

        A tombstone removes its operation and its stream's head: only an erasure writes one, and
        it leaves no operation of the stream. The record of an erased document removes what is left.
        """
        rows: list[AnyRow] = []
        append, action_id, pack = rows.append, fields.action_id, _pack_index
        streams: dict[bytes, list[tuple[int, bytes]] | None] = {}
        spaces: dict[bytes, bytes] = {}
        erased: list[bytes] = []
        lasting: list[AnyRow] = []
        for key, value in records:
            if not key[-1:].isdigit():
                lasting += self.lasting.rows(key, value)
                continue
            prefix = key[:-INDEX_DIGITS]
            operation_key = _OPERATION + key
            append((operation_key, value))
            if value is None:
                streams[prefix] = None
                erased.append(operation_key)
                continue
            index = int(key[-INDEX_DIGITS:])
            space = spaces.get(prefix)
            if space is None:
                space = spaces[prefix] = _action_space(prefix)
            append((space + action_id(value), pack(index)))
            stream = streams.get(prefix)
            if stream is None:
                streams[prefix] = [(index, value)]
            else:
                stream.append((index, value))
        stored = self._store.get_many([_HEAD + prefix for prefix in streams])
        for (prefix, stream), head in zip(streams.items(), stored, strict=True):
            moved = None if stream is None else _moved(_head(head), stream)
            append(_head_row(prefix, moved))
        if erased:
            rows += self._forgotten(erased, rows)
        return rows + lasting

    def _forgotten(self, erased: list[bytes], rows: list[AnyRow]) -> list[AnyRow]:
        """The rows that remove the action ids of erased operations."""
        written = {key: value for key, value in rows if value is not None}
        forgotten: list[AnyRow] = []
        for key in erased:
            content = written.get(key) or self._store.get(key)
            if content is not None:
                prefix = key[len(_OPERATION) : -INDEX_DIGITS]
                forgotten.append(Row(_action_space(prefix) + fields.action_id(content), None))
        return forgotten


def action_key(stream: Stream, action_id: str) -> bytes:
    """The key of the row that remembers an action: one for all scopes of a document's branch."""
    return f"a/{stream.document_id}/{stream.branch}/{action_id}".encode()


def operation_rows(
    key: bytes, action_key: bytes, index: int, content: bytes
) -> tuple[AnyRow, AnyRow]:
    """What storing one operation writes, but for its stream's head. `key` is its record's."""
    return (_OPERATION + key, content), (action_key, _pack_index(index))


def _action_space(prefix: bytes) -> bytes:
    """What the keys of a stream's actions begin with."""
    document_id, _, rest = prefix.split(b"/", 2)
    return b"%b%b/%b" % (_ACTION, document_id, rest)


def _moved(stored: Head | None, operations: list[tuple[int, bytes]]) -> Head:
    """A stored head moved on by operations of its stream."""
    index, newest = max(operations)
    if stored is not None and stored.next_index > index:
        return stored
    latest = max([fields.timestamp(content) for _, content in operations])
    latest_us = int(parse(latest.decode()))
    size = sum([len(content) for _, content in operations])
    if stored is None:
        return Head(index + 1, latest_us, digest(newest), -1, size)
    return Head(
        index + 1,
        max(stored.latest_us, latest_us),
        digest(newest),
        stored.keyframe_label,
        stored.bytes_since_keyframe + size,
    )


def _operation_key(stream: Stream, index: int) -> bytes:
    return f"o/{stream.prefix}{index:010d}".encode()


def _head_row(prefix: bytes, head: Head | None) -> Row:
    if head is None:
        return Row(_HEAD + prefix, None)
    numbers = _NUMBERS.pack(
        head.next_index, head.latest_us, head.keyframe_label, head.bytes_since_keyframe
    )
    return Row(_HEAD + prefix, numbers + (head.previous or "").encode())


def _head(value: bytes | None) -> Head | None:
    if value is None:
        return None
    next_index, latest_us, keyframe_label, bytes_since_keyframe = _NUMBERS.unpack_from(value)
    previous = value[_NUMBERS.size :].decode() or None
    return Head(next_index, latest_us, previous, keyframe_label, bytes_since_keyframe)
