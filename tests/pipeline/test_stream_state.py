"""What one stream shows after one operation."""

from __future__ import annotations

from typing import Any

import pytest

from docreactor.pipeline.canonical import digest
from docreactor.pipeline.stream_state import StreamState


def test_a_stream_state_never_changes_and_equals_its_like() -> None:
    state = StreamState(0, 1, {}, b"{}", digest(b"{}"))
    changed: Any = state

    with pytest.raises(AttributeError):
        changed.label = 1
    assert state == StreamState(0, 1, {}, b"{}", digest(b"{}"))
