"""States kept on the log, so that reading a stream need not begin at its creation."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Protocol

from docreactor.pipeline.keys import INDEX_DIGITS, Stream, record_key
from docreactor.pipeline.settings import Settings
from docreactor.tables.keyframe_policy import keyframe_policy
from docreactor.tables.lru import Lru
from docreactor.tables.store import Row, Store

_SPACE = b"k/"
_SPACE_END = b"k0"
_RECORD_OVERHEAD_BYTES = 512

_REPLAYED_MAX = 1_000
"""So many operations are replayed at most to read any revision."""


class KeyValueStore(Protocol):
    """Values by key. Used between `startup` and `shutdown`; both are idempotent."""

    def startup(self) -> None: ...

    def shutdown(self) -> None: ...

    def get(self, key: bytes) -> bytes | None: ...

    def put(self, key: bytes, value: bytes) -> None: ...

    def delete(self, key: bytes) -> None:
        """No error when there is no such key."""
        ...

    def clear(self) -> None: ...

    def descend(self, start: bytes, end: bytes) -> Iterator[bytes]:
        """The keys with start <= key < end, the greatest first: so the nearest is found."""
        ...


class MemoryKeyValueStore:
    """A `KeyValueStore` that lives as long as its process."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def startup(self) -> None:
        """Nothing to do."""

    def shutdown(self) -> None:
        """Nothing to do: what was put stays."""

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self._values[key] = value

    def delete(self, key: bytes) -> None:
        self._values.pop(key, None)

    def clear(self) -> None:
        self._values.clear()

    def descend(self, start: bytes, end: bytes) -> Iterator[bytes]:
        keys = sorted(self._values)
        return reversed(keys[bisect_left(keys, start) : bisect_left(keys, end)])


class StoreKeyValueStore:
    """A `KeyValueStore` whose records are a compacted topic, and its rows a `Store`'s.

    What is put or deleted shows at once, and waits in `drain` for the transaction that sends it.
    Sent records show when their rows, `keyframe_rows`, are written.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[bytes, bytes | None] = {}

    def startup(self) -> None:
        """Nothing to do: whoever owns the store opens it."""

    def shutdown(self) -> None:
        """Forget what nobody drained."""
        self._waiting.clear()

    def get(self, key: bytes) -> bytes | None:
        if key in self._waiting:
            return self._waiting[key]
        return self._store.get(_SPACE + key)

    def put(self, key: bytes, value: bytes) -> None:
        self._waiting[key] = value

    def delete(self, key: bytes) -> None:
        self._waiting[key] = None

    def clear(self) -> None:
        self._waiting = dict.fromkeys(self._stored(b"", _SPACE_END))

    def descend(self, start: bytes, end: bytes) -> Iterator[bytes]:
        stored = self._stored(start, _SPACE + end)
        if not self._waiting:
            return stored
        shown = {*stored, *(key for key in self._waiting if start <= key < end)}
        kept = (key for key in shown if self._waiting.get(key, b"") is not None)
        return iter(sorted(kept, reverse=True))

    def drain(self) -> list[Row]:
        """The records to send, None for a tombstone. They are the caller's from here on."""
        rows = [Row(key, value) for key, value in self._waiting.items()]
        self._waiting = {}
        return rows

    def _stored(self, start: bytes, end_row: bytes) -> Iterator[bytes]:
        rows = self._store.keys(_SPACE + start, end_row, reverse=True)
        return (key[len(_SPACE) :] for key in rows)


def keyframe_rows(records: Sequence[Row]) -> list[Row]:
    """The rows of a `Store` for records of the topic."""
    return [Row(_SPACE + key, value) for key, value in records]


class Keyframes:
    """The keyframes of one partition's streams."""

    def __init__(self, values: KeyValueStore, settings: Settings) -> None:
        self._values = values
        self._policy = keyframe_policy(settings)
        self._bytes_max = settings.record_bytes_max - _RECORD_OVERHEAD_BYTES
        self._newest: Lru[Stream, list[int]] = Lru(settings.cache_documents_max)
        self._staged: KeyframeStage | None = None
        self.kept = settings.keyframes_kept
        """So many of a stream's newest keyframes stay."""
        self.corrupted = 0
        """How many were passed over because they are not what their operation says."""
        self.skipped = 0
        """How many were not stored because no record could hold them."""

    def startup(self) -> None:
        """Start the key-value store. Idempotent."""
        self._values.startup()

    def shutdown(self) -> None:
        """Forget what is known of it and stop the key-value store. Idempotent."""
        self.forget()
        self._values.shutdown()

    def due(self, label: int, newest: int, bytes_since: int, state_bytes: int) -> bool:
        """Whether the state after operation `label` is to be kept, as `KeyframePolicy.due`."""
        return self._policy.due(label, newest, bytes_since, state_bytes)

    def stage(self) -> KeyframeStage:
        """What one batch will store. Call it when the batch before is written or dropped."""
        self._learn()
        self._staged = KeyframeStage(self._values, self)
        return self._staged

    def newest(self, stream: Stream) -> list[int]:
        """A stream's newest labels, ascending: all that the next keyframe can make superfluous."""
        known = self._newest.get(stream)
        if known is None:
            return sorted(islice(self.labels(stream), self.kept + 2))
        return known[-self.kept - 2 :]

    def forget(self) -> None:
        """Look every label up again: rows were written that no stage knows of."""
        self._staged = None
        self._newest.clear()

    def _learn(self) -> None:
        """Remember the labels of the last stage, if it was written."""
        stage, self._staged = self._staged, None
        if stage is None:
            return
        is_written = stage.is_written()
        for stream, labels in stage.labels.items():
            if is_written:
                self._newest.put(stream, labels)
            else:
                self._newest.remove(stream)

    def labels(self, stream: Stream, target: int | None = None) -> Iterator[int]:
        """The labels kept, up to `target`, the newest first."""
        start = stream.prefix.encode()
        end = start[:-1] + b"0" if target is None else record_key(stream, target + 1)
        return (int(key[-INDEX_DIGITS:]) for key in self._values.descend(start, end))

    def get(self, stream: Stream, label: int) -> bytes | None:
        """The content of one keyframe."""
        return self._values.get(record_key(stream, label))

    def nearest(self, stream: Stream, target: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Keyframes up to `target`, the newest first; each is read when it is asked for."""
        for label in self.labels(stream, target):
            content = self.get(stream, label)
            if content is not None:
                yield label, content

    def keys_of(self, document_id: str) -> list[bytes]:
        """The keys of all of a document's keyframes."""
        start = document_id.encode() + b"/"
        return list(self._values.descend(start, start[:-1] + b"0"))

    def fits(self, content: bytes) -> bool:
        """Whether a record can hold it; counts it as skipped otherwise."""
        if len(content) <= self._bytes_max:
            return True
        self.skipped += 1
        return False


class KeyframeStage:
    """The keyframes of one batch. Dropped, it leaves no trace."""

    def __init__(self, values: KeyValueStore, keyframes: Keyframes) -> None:
        self._values = values
        self._keyframes = keyframes
        self._added: set[bytes] = set()
        self._records: dict[bytes, bytes | None] = {}
        self.labels: dict[Stream, list[int]] = {}
        """The newest labels of the streams that it touches, ascending."""

    def add(self, stream: Stream, label: int, content: bytes) -> None:
        """Store a keyframe and remove those that it makes superfluous."""
        if not self._keyframes.fits(content):
            return
        labels = self.labels.get(stream)
        if labels is None:
            labels = self.labels[stream] = self._keyframes.newest(stream)
        key = record_key(stream, label)
        if label not in labels:
            insort(labels, label)
            self._added.add(key)
        self._records[key] = content
        for gone in superfluous(labels, kept=self._keyframes.kept):
            labels.remove(gone)
            self._remove(record_key(stream, gone))
        # A job that moves very many operations adds very many.
        del labels[: -self._keyframes.kept - 2]

    def put(self, contents: Mapping[bytes, bytes]) -> None:
        """Store keyframes by the keys of their records, whatever else there is."""
        self._records |= contents

    def remove(self, keys: Sequence[bytes]) -> None:
        """Remove keyframes by the keys of their records, and keep none of them later."""
        self._records |= dict.fromkeys(keys)

    @property
    def rows(self) -> list[Row]:
        """The records of the topic, None for a tombstone."""
        return [Row(key, value) for key, value in self._records.items()]

    def publish(self) -> None:
        """Put everything into the key-value store, for one that no caller writes rows of."""
        for key, value in self._records.items():
            if value is None:
                self._values.delete(key)
            else:
                self._values.put(key, value)

    def is_written(self) -> bool:
        """Whether the key-value store shows it. Its records are written together."""
        stored = ((key, value) for key, value in self._records.items() if value is not None)
        key, value = next(stored, (b"", None))
        return value is not None and self._values.get(key) == value

    def _remove(self, key: bytes) -> None:
        if key in self._added:
            del self._records[key]
        else:
            self._records[key] = None


def superfluous(labels: Sequence[int], *, kept: int) -> list[int]:
    """Which of a stream's newest labels, ascending, need not stay.

    The newest `kept` stay. Of the others the first in every 1,000 indexes stays, and whatever
    keeps its neighbours from being more than 1,000 operations apart. The oldest given stays.
    """
    gone: list[int] = []
    before = labels[0]
    for label, following in islice(pairwise(labels), 1, max(1, len(labels) - kept)):
        is_first = label // _REPLAYED_MAX != before // _REPLAYED_MAX
        if is_first or following - 1 - before > _REPLAYED_MAX:
            before = label
        else:
            gone.append(label)
    return gone
