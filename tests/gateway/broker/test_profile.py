"""What a broker is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.gateway.broker.profile import Profile, jvm_flags, server_properties

BOTH = pytest.mark.parametrize("profile", list(Profile))


def properties(profile: Profile) -> dict[str, object]:
    return dict(server_properties(profile, data=Path("data"), port=1, controller_port=2))


@BOTH
def test_a_broker_listens_on_the_loopback_alone(profile: Profile) -> None:
    listeners = str(properties(profile)["listeners"]).split(",")
    assert listeners == ["PLAINTEXT://127.0.0.1:1", "CONTROLLER://127.0.0.1:2"]


@BOTH
def test_a_topic_is_never_made_by_accident(profile: Profile) -> None:
    assert properties(profile)["auto.create.topics.enable"] == "false"


@BOTH
def test_a_record_of_sixteen_mebibytes_passes(profile: Profile) -> None:
    wanted = 16 * 1024 * 1024
    for name in (
        "message.max.bytes",
        "replica.fetch.max.bytes",
        "replica.fetch.response.max.bytes",
    ):
        assert int(str(properties(profile)[name])) > wanted


def test_both_profiles_have_the_collector_that_their_archive_was_made_with() -> None:
    assert all("-XX:+UseSerialGC" in jvm_flags(profile) for profile in Profile)


def test_only_the_fast_one_does_without_the_second_compiler() -> None:
    assert "-XX:TieredStopAtLevel=1" in jvm_flags(Profile.FAST)
    assert "-XX:TieredStopAtLevel=1" not in jvm_flags(Profile.SAFE)


def test_the_safe_one_cleans_at_its_own_pace_and_keeps_offsets_for_a_year() -> None:
    safe = properties(Profile.SAFE)
    assert "log.cleaner.backoff.ms" not in safe
    assert safe["offsets.retention.minutes"] == 525_600
    assert "offsets.retention.minutes" not in properties(Profile.FAST)
