"""When a keyframe is due."""

from __future__ import annotations

import pytest

from docreactor.pipeline.settings import Settings
from docreactor.tables.keyframe_policy import (
    AdaptivePolicy,
    FixedPolicy,
    KeyframePolicy,
    keyframe_policy,
)


@pytest.mark.parametrize(
    ("label", "keyframe_label", "operation_bytes", "state_bytes", "is_due"),
    [
        (8, -1, 10_000, 1, False),
        (9, -1, 10_000, 1, True),
        (19, 10, 10_000, 1, False),
        (20, 10, 10_000, 10_000, True),
        (20, 10, 9_999, 10_000, False),
        (73, 10, 0, 10_000, False),
        (74, 10, 0, 10_000, True),
        (63, -1, 0, 10_000, True),
    ],
)
def test_the_adaptive_policy_weighs_operations_against_the_state(
    label: int, keyframe_label: int, operation_bytes: int, state_bytes: int, is_due: bool
) -> None:
    policy = AdaptivePolicy(interval=10)

    assert policy.due(label, keyframe_label, operation_bytes, state_bytes) is is_due


def test_the_fixed_policy_keeps_every_tenth_label_but_the_first() -> None:
    policy = FixedPolicy(interval=10)

    due = [label for label in range(45) if policy.due(label, -1, 10_000, 1)]
    assert due == [10, 20, 30, 40]


@pytest.mark.parametrize(
    ("settings", "policy"),
    [
        (Settings(), AdaptivePolicy(10)),
        (Settings(keyframe_policy="fixed", keyframe_interval=25), FixedPolicy(25)),
    ],
)
def test_the_settings_name_the_policy(settings: Settings, policy: KeyframePolicy) -> None:
    assert keyframe_policy(settings) == policy
