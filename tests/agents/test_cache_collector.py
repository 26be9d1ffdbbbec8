"""The figures of the write caches, for Prometheus."""

from __future__ import annotations

from prometheus_client import generate_latest

from docreactor.agents.metrics import Metrics
from docreactor.tables.cache_figures import CacheFigures

FIGURES = CacheFigures(
    hits=1,
    warm=2,
    cold=3,
    keyframes_used=4,
    evicted=5,
    corrupted=6,
    skipped=7,
    streams=8,
    state_bytes=9,
)


def test_every_figure_is_told_per_partition() -> None:
    metrics = Metrics()
    metrics.caches.watch(lambda: {3: FIGURES})

    told = generate_latest(metrics.registry).decode()
    for line in (
        'docreactor_cache_answers_total{answer="hit",partition="3"} 1.0',
        'docreactor_cache_answers_total{answer="warm",partition="3"} 2.0',
        'docreactor_cache_answers_total{answer="cold",partition="3"} 3.0',
        'docreactor_cache_keyframes_used_total{partition="3"} 4.0',
        'docreactor_cache_evicted_streams_total{partition="3"} 5.0',
        'docreactor_keyframes_corrupted_total{partition="3"} 6.0',
        'docreactor_keyframes_skipped_total{partition="3"} 7.0',
        'docreactor_cache_streams{partition="3"} 8.0',
        'docreactor_cache_state_bytes{partition="3"} 9.0',
    ):
        assert line in told


def test_a_partition_that_went_is_no_longer_told() -> None:
    metrics = Metrics()
    figures = {3: FIGURES}
    metrics.caches.watch(lambda: figures)
    figures.clear()

    told = generate_latest(metrics.registry).decode()
    assert "# HELP docreactor_cache_streams" in told
    assert 'partition="3"' not in told
