"""When a stream's state is worth a keyframe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from docreactor.pipeline.settings import Settings
from docreactor.tables.operations import Head

_OPERATIONS_MAX = 100


class KeyframePolicy(Protocol):
    """Says after each operation whether its state is to be kept."""

    def due(self, head: Head, state_bytes: int, label: int) -> bool:
        """`head` is the stream's head after operation `label`; `state_bytes` the state's size."""
        ...


@dataclass(frozen=True, slots=True)
class AdaptivePolicy:
    """When replaying has become as costly as reading the state.

    At least `interval` operations apart; then at as many bytes of operations as the state is
    large, and at 100 operations at the latest.
    """

    interval: int

    def due(self, head: Head, state_bytes: int, label: int) -> bool:
        passed = label - head.keyframe_label
        return passed >= self.interval and (
            head.bytes_since_keyframe >= state_bytes or passed >= _OPERATIONS_MAX
        )


@dataclass(frozen=True, slots=True)
class FixedPolicy:
    """At every label that `interval` divides, but 0."""

    interval: int

    def due(self, head: Head, state_bytes: int, label: int) -> bool:
        return label > 0 and label % self.interval == 0


def keyframe_policy(settings: Settings) -> KeyframePolicy:
    """The policy that the settings name."""
    if settings.keyframe_policy == "fixed":
        return FixedPolicy(settings.keyframe_interval)
    return AdaptivePolicy(settings.keyframe_interval)
