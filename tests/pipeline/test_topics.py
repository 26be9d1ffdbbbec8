"""Which topics exist."""

from __future__ import annotations

import pytest

from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration, Topics, declarations

SETTINGS = Settings(app="shop", partitions=5, jobs_retention_days=2)
DECLARED: dict[str, TopicDeclaration] = {
    declaration.name: declaration for declaration in declarations(SETTINGS)
}


def test_every_topic_is_declared_once_behind_the_deployments_prefix() -> None:
    names = {
        getattr(Topics("shop"), name)
        for name, value in vars(Topics).items()
        if isinstance(value, property)
    }

    assert DECLARED.keys() == names
    assert len(declarations(SETTINGS)) == len(names)
    assert all(name.startswith("shop.") for name in names)


@pytest.mark.parametrize(
    ("name", "partitions", "policy"),
    [
        ("actions", 5, "delete"),
        ("operations", 5, "compact"),
        ("keyframes", 5, "compact"),
        ("jobs", 5, "compact,delete"),
        ("deferred", 5, "compact"),
        ("positions", 1, "compact"),
        ("dead-letters", 5, "delete"),
    ],
)
def test_a_topic_has_its_partitions_and_its_cleanup(
    name: str, partitions: int, policy: str
) -> None:
    declared = DECLARED[f"shop.{name}"]

    assert declared.partition_count == partitions
    assert declared.config["cleanup.policy"] == policy


def test_what_must_not_get_lost_is_never_deleted_by_age() -> None:
    for name in ("operations", "keyframes", "deferred", "positions"):
        assert "retention.ms" not in DECLARED[f"shop.{name}"].config
    assert DECLARED["shop.jobs"].config["retention.ms"] == str(2 * 86_400_000)
    assert DECLARED["shop.actions"].config["retention.ms"] == str(30 * 86_400_000)


def test_every_topic_takes_the_largest_record_and_elects_no_unclean_leader() -> None:
    for declared in DECLARED.values():
        assert declared.config["max.message.bytes"] == str(16 * 1024 * 1024)
        assert declared.config["unclean.leader.election.enable"] == "false"
        assert declared.config["min.insync.replicas"] == "2"


def test_tombstones_live_as_long_as_the_settings_say() -> None:
    for declared in DECLARED.values():
        if "compact" in declared.config["cleanup.policy"]:
            assert declared.config["delete.retention.ms"] == str(SETTINGS.delete_retention_ms)
            assert declared.config["segment.ms"] == str(SETTINGS.segment_ms)
            assert declared.config["max.compaction.lag.ms"] == str(SETTINGS.max_compaction_lag_ms)
