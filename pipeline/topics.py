"""Which topics exist: declared once, created and compared from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from docreactor.pipeline.settings import Settings

_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class TopicDeclaration:
    """What a topic must be. `config` lists only what we depend on."""

    name: str
    partition_count: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of one deployment's topics, all behind its prefix."""

    app: str

    @property
    def actions(self) -> str:
        """Jobs asked for, keyed by document id."""
        return f"{self.app}.actions"

    @property
    def operations(self) -> str:
        """The operation store."""
        return f"{self.app}.operations"

    @property
    def keyframes(self) -> str:
        """The keyframe store."""
        return f"{self.app}.keyframes"

    @property
    def jobs(self) -> str:
        """Job results, keyed by job id."""
        return f"{self.app}.jobs"

    @property
    def deferred(self) -> str:
        """Jobs that wait, keyed by stream and by their offset on `actions`."""
        return f"{self.app}.deferred"

    @property
    def relationships(self) -> str:
        """Edges between documents, keyed by source, branch, type and target."""
        return f"{self.app}.relationships"

    @property
    def positions(self) -> str:
        """Who owns what, how far it is, and the log id: one partition."""
        return f"{self.app}.positions"

    @property
    def dead_letters(self) -> str:
        """Records that were refused, with the cause in their headers."""
        return f"{self.app}.dead-letters"


def declarations(settings: Settings) -> tuple[TopicDeclaration, ...]:
    """Every topic of the deployment that these settings describe."""
    topics = Topics(settings.app)
    count = settings.partitions
    deleted = {
        "cleanup.policy": "delete",
        "retention.ms": str(settings.actions_retention_days * _DAY_MS),
    }
    compacted = {
        "cleanup.policy": "compact",
        "delete.retention.ms": str(settings.delete_retention_ms),
        "segment.ms": str(settings.segment_ms),
        "max.compaction.lag.ms": str(settings.max_compaction_lag_ms),
    }
    kept = {
        **compacted,
        "cleanup.policy": "compact,delete",
        "retention.ms": str(settings.jobs_retention_days * _DAY_MS),
    }
    every = {
        "max.message.bytes": str(settings.record_bytes_max),
        "unclean.leader.election.enable": "false",
        "min.insync.replicas": str(settings.min_insync_replicas),
    }
    return (
        TopicDeclaration(topics.actions, count, deleted | every),
        TopicDeclaration(topics.operations, count, compacted | every),
        TopicDeclaration(topics.keyframes, count, compacted | every),
        TopicDeclaration(topics.jobs, count, kept | every),
        TopicDeclaration(topics.deferred, count, compacted | every),
        TopicDeclaration(topics.relationships, count, compacted | every),
        TopicDeclaration(topics.positions, 1, compacted | every),
        TopicDeclaration(topics.dead_letters, count, deleted | every),
    )
