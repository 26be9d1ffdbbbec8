"""What the write cache holds, in memory and per stream, and what letting go of streams costs."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from docreactor.agents.write_side import WriteSide
from docreactor.bench.growth import DOCUMENT_TYPE, growing, growth, stream_of
from docreactor.bench.report import Figure
from docreactor.gateway.testing import create_test_write_cache
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.stream_state import StreamState
from docreactor.tables.lru import Lru

RINGS = (1, 10, 50)
_RATIO = 0.3
_OPERATIONS = 60
_LRU_ENTRIES = 1_000
_STATE = StreamState(label=0, version=1, state=None, content=b"{}", hash="")


async def measure_memory(documents: int) -> list[Figure]:
    """Real states of as many documents, one action apart, in rings of several sizes."""
    figures: list[Figure] = []
    per_stream: dict[int, float] = {}
    with _tracing():
        for ring in RINGS:
            held, content, _ = await _held(documents, ring)
            per_stream[ring] = held / documents
            name = f"memory, ring of {ring}"
            figures += [
                Figure(f"{name}, per document", held / documents / 1024, "KiB"),
                Figure(f"{name}, per byte of canonical JSON", held / content, "bytes"),
            ]
        twice, _, left = await _held(2 * documents, RINGS[1])
        figures += [
            Figure(
                "memory, twice the documents",
                twice / documents / per_stream[RINGS[1]],
                "times",
                "about 2",
            ),
            Figure("memory left after clearing, per document", left / documents, "bytes", "0"),
            Figure("memory of an LRU entry", _lru_bytes(), "bytes"),
            Figure("memory of a stream, its states apart", _stream_bytes(), "bytes"),
        ]
    return figures


async def _held(documents: int, ring: int) -> tuple[float, float, float]:
    """Bytes that the cache alone holds, those of canonical JSON, and what clearing leaves."""
    settings: dict[str, Any] = {"cache_documents_max": 4 * documents, "cache_ring_states": ring}
    with create_test_write_cache(growth, **settings) as side:
        await _fill(side, documents)
        side.cache.clear()
        empty = _traced()
        await _restore(side, documents, ring)
        full = _traced()
        content = side.cache.figures().state_bytes
        side.cache.clear()
        return full - empty, content, _traced() - empty


async def _fill(side: WriteSide, documents: int) -> None:
    asked = await growing(side, _RATIO)
    for number in range(documents):
        await side.create(DOCUMENT_TYPE, f"d{number}")
        await side.submit(f"d{number}", asked.actions(_OPERATIONS))


async def _restore(side: WriteSide, documents: int, ring: int) -> None:
    """Cache what the reducer would have cached, had each action been a batch of its own."""
    for number in range(documents):
        for label in range(_OPERATIONS - ring, _OPERATIONS):
            await side.cache.get(stream_of(f"d{number}"), label)


def _lru_bytes() -> float:
    lru: Lru[int, StreamState] = Lru(_LRU_ENTRIES)
    keys = list(range(_LRU_ENTRIES))
    before = _traced()
    for key in keys:
        lru.put(key, _STATE)
    return (_traced() - before) / _LRU_ENTRIES


def _stream_bytes() -> float:
    streams = [Stream(f"d{number}", "global", "main") for number in range(_LRU_ENTRIES)]
    with create_test_write_cache(growth, cache_ring_states=10) as side:
        before = _traced()
        for stream in streams:
            side.cache.put(stream, _STATE)
        return (_traced() - before) / _LRU_ENTRIES


@contextmanager
def _tracing() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def _traced() -> float:
    gc.collect()
    return float(tracemalloc.get_traced_memory()[0])


def measure_eviction(puts: int) -> list[Figure]:
    """Putting a state of a known stream, and of a new one in the place of another's whole ring."""
    with create_test_write_cache(growth) as side:
        known = [Stream(f"d{number}", "global", "main") for number in range(_LRU_ENTRIES)]
        others = [Stream(f"e{number}", "global", "main") for number in range(puts)]
        for _ in range(10):
            _put(side, known)
        again = _put(side, known * (puts // len(known) or 1))
        evicting = _put(side, others)
    return [
        Figure("put, of a stream that is cached", again, "µs"),
        Figure("put, in the place of the least recently used stream", evicting, "µs"),
        Figure("eviction", evicting - again, "µs"),
    ]


def _put(side: WriteSide, streams: list[Stream]) -> float:
    """Microseconds that one put takes."""
    put = side.cache.put
    since = perf_counter()
    for stream in streams:
        put(stream, _STATE)
    return (perf_counter() - since) / len(streams) * 1e6
