"""What is counted and timed of calls, for Prometheus."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ELSEWHERE = "(none)"


class Figures:
    """One application's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Histogram(
            "docreactor_http_seconds",
            "Calls, by method, route and status, waits included.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._refusals = Counter(
            "docreactor_http_refusals",
            "Calls that ended in a problem document, by its name.",
            ["name"],
            registry=self.registry,
        )
        self._subscribers = Gauge(
            "docreactor_event_subscribers",
            "Streams of events that are open.",
            registry=self.registry,
        )
        self._events = Counter(
            "docreactor_events",
            "Events that were sent, by name; one is sent to each subscriber that wants it.",
            ["event"],
            registry=self.registry,
        )
        self._overflows = Counter(
            "docreactor_event_overflows",
            "Streams of events that ended because their reader was too slow.",
            registry=self.registry,
        )

    def called(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """One call ended."""
        self._calls.labels(method, route or _ELSEWHERE, status).observe(seconds)

    def refused(self, name: str) -> None:
        """One call ended in a problem document."""
        self._refusals.labels(name).inc()

    @contextmanager
    def subscriber(self) -> Generator[None]:
        """One stream is open while the block runs."""
        with self._subscribers.track_inprogress():
            yield

    def told(self, events: Iterable[str]) -> None:
        """These were sent."""
        for event in events:
            self._events.labels(event).inc()

    def overflowed(self) -> None:
        """One reader was too slow."""
        self._overflows.inc()
