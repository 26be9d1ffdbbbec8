"""What is counted and timed, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from docreactor.agents.cache_collector import CacheCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One process's figures, in a registry of its own. Updated per batch, never per record."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.jobs = Counter(
            "docreactor_jobs", "Jobs that ended, by status.", ["status"], registry=self.registry
        )
        self.operations = Counter(
            "docreactor_operations", "Operations stored.", registry=self.registry
        )
        self.viewed = Counter(
            "docreactor_viewed_operations", "Operations the view applied.", registry=self.registry
        )
        self.read_model_operations = Counter(
            "docreactor_read_model_operations",
            "Operations of users' read models: applied, or skipped of documents set aside.",
            ["model", "outcome"],
            registry=self.registry,
        )
        self.restored = Counter(
            "docreactor_restored_records", "Records read to restore.", registry=self.registry
        )
        self.errors = Counter(
            "docreactor_errors", "Errors, by name.", ["name"], registry=self.registry
        )
        self.batch_s = Histogram(
            "docreactor_batch_seconds",
            "Reducing one batch of jobs.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.transaction_s = Histogram(
            "docreactor_transaction_seconds",
            "One transaction, from begin to committed.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.read_ready_s = Histogram(
            "docreactor_read_ready_seconds",
            "From written to shown, by read model.",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.caches = CacheCollector()
        self.registry.register(self.caches)
        self._observe_partitions()

    def _observe_partitions(self) -> None:
        self.lag = Gauge(
            "docreactor_lag_records",
            "Records not yet consumed.",
            ["agent", "partition"],
            registry=self.registry,
        )
        self.restore_progress = Gauge(
            "docreactor_restore_progress_ratio",
            "How much of a restore is done, 0 to 1.",
            ["partition"],
            registry=self.registry,
        )
        self.phase = Gauge(
            "docreactor_partition_phase",
            "Where an assigned partition stands: 5 is RUNNING.",
            ["partition"],
            registry=self.registry,
        )
        self.deferred = Gauge(
            "docreactor_deferred_jobs",
            "Jobs that wait for others or for their document.",
            ["partition"],
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "docreactor_dead_letters",
            "Records dead-lettered, by cause.",
            ["cause"],
            registry=self.registry,
        )
