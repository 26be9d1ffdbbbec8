"""The figures of the write caches, for Prometheus: read when somebody asks, free otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from docreactor.tables.cache_figures import CacheFigures

FiguresByPartition = Callable[[], Mapping[int, CacheFigures]]

_COUNTERS = {
    "docreactor_cache_keyframes_used": (
        "Cold answers that began with a keyframe.",
        "keyframes_used",
    ),
    "docreactor_cache_evicted_streams": ("Streams that had to go for want of room.", "evicted"),
    "docreactor_keyframes_corrupted": (
        "Keyframes passed over: not what was recorded.",
        "corrupted",
    ),
    "docreactor_keyframes_skipped": ("Keyframes that no record could hold.", "skipped"),
}
_GAUGES = {
    "docreactor_cache_streams": ("Streams cached.", "streams"),
    "docreactor_cache_state_bytes": ("Canonical JSON of the states cached.", "state_bytes"),
}


class CacheCollector(Collector):
    """Nothing until it watches: then a sample per partition whose tables are open."""

    def __init__(self) -> None:
        self._figures: FiguresByPartition = dict

    def watch(self, figures: FiguresByPartition) -> None:
        """From here on tell these figures."""
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        figures = self._figures()
        answers = CounterMetricFamily(
            "docreactor_cache_answers",
            "States asked for: there (hit), built from a cached one (warm) or without (cold).",
            labels=["partition", "answer"],
        )
        for partition, one in figures.items():
            for answer, count in (("hit", one.hits), ("warm", one.warm), ("cold", one.cold)):
                answers.add_metric([str(partition), answer], count)
        yield answers
        for name, (text, field) in _COUNTERS.items():
            yield _filled(CounterMetricFamily(name, text, labels=["partition"]), figures, field)
        for name, (text, field) in _GAUGES.items():
            yield _filled(GaugeMetricFamily(name, text, labels=["partition"]), figures, field)


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily,
    figures: Mapping[int, CacheFigures],
    field: str,
) -> Metric:
    for partition, one in figures.items():
        family.add_metric([str(partition)], getattr(one, field))
    return family
