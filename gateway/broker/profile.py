"""What a broker is for: fast ones for tests, safe ones for data that must stay."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

RECORD_BYTES_MAX = 17 * 1024 * 1024
"""16 MiB and what a batch adds to it."""


class Profile(StrEnum):
    """Each is a set of JVM flags and a set of broker settings."""

    FAST = "fast"
    SAFE = "safe"


_JVM: dict[Profile, tuple[str, ...]] = {
    # The first compiler alone boots a second sooner and is enough for a test.
    Profile.FAST: ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
    # Once warm, the second compiler saves a third of the broker's CPU time.
    Profile.SAFE: ("-Xms256m", "-Xmx1g", "-XX:+UseSerialGC"),
}

_ALWAYS: dict[str, object] = {
    "node.id": 1,
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "message.max.bytes": RECORD_BYTES_MAX,
    "replica.fetch.max.bytes": RECORD_BYTES_MAX,
    "replica.fetch.response.max.bytes": 2 * RECORD_BYTES_MAX,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,
}

_SETTINGS: dict[Profile, dict[str, object]] = {
    Profile.FAST: {
        "num.network.threads": 1,
        "num.io.threads": 2,
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        "log.index.size.max.bytes": 1024 * 1024,
        # How soon a broker killed with -9 may come back as itself.
        "broker.session.timeout.ms": 3_000,
        "broker.heartbeat.interval.ms": 500,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 200,
        # Oftener than this, looking over a few thousand partitions is work that is felt.
        "log.cleaner.backoff.ms": 250,
        "log.initial.task.delay.ms": 100,
        "log.retention.check.interval.ms": 500,
    },
    Profile.SAFE: {
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
        "broker.session.timeout.ms": 5_000,
        "broker.heartbeat.interval.ms": 1_000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
        # A power cut costs the last second at most; measured, this costs nothing.
        "log.flush.interval.ms": 1_000,
        "log.flush.scheduler.interval.ms": 1_000,
        # A laptop that was off for a month must not find its offsets gone.
        "offsets.retention.minutes": 365 * 24 * 60,
    },
}


def jvm_flags(profile: Profile) -> tuple[str, ...]:
    """The flags of the profile; the collector is the same in both, as the class archive needs."""
    return (*_JVM[profile], "-Djava.awt.headless=true")


def server_properties(
    profile: Profile, *, data: Path, port: int, controller_port: int
) -> Mapping[str, object]:
    """Every setting of a broker and controller in one, which listens on the loopback only."""
    return {
        **_ALWAYS,
        **_SETTINGS[profile],
        "log.dirs": data,
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
    }
