"""How long after a write each read model shows it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram

from docreactor.agents.delays import Delays
from docreactor.tables.wait import Reached


def test_each_write_is_measured_once_for_each_read_model() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("delay", "d", ["model"], buckets=(1, 10), registry=registry)
    now = [100.0]
    written, documents, words = Reached(), Reached(), Reached()
    delays = Delays(written, histogram, lambda: now[0])
    delays.follow("documents", documents)
    delays.follow("words", words)
    written.advance(5)
    now[0] = 102.0
    written.advance(9)
    documents.advance(5)
    now[0] = 107.0
    documents.advance(9)
    documents.advance(9)
    words.advance(20)

    def figure(name: str, model: str) -> float:
        return registry.get_sample_value(f"delay_{name}", {"model": model}) or 0.0

    assert (figure("count", "documents"), figure("sum", "documents")) == (2, 7)
    assert (figure("count", "words"), figure("sum", "words")) == (2, 12)
