"""What a store keeps beside its rows."""

from __future__ import annotations

import pytest

from docreactor.pipeline.position import Offset
from docreactor.tables.label import read_label, write_label
from docreactor.tables.store import StoreIdentity


@pytest.mark.parametrize("identity", [None, StoreIdentity("a" * 32, 3)])
@pytest.mark.parametrize("positions", [{}, {"operations": Offset(7), "jobs": Offset(0)}])
@pytest.mark.parametrize("written_ms", [None, 9])
def test_a_label_is_read_back_as_it_was_written(
    identity: StoreIdentity | None, positions: dict[str, Offset], written_ms: int | None
) -> None:
    content = write_label(identity, positions, written_ms)
    assert read_label(content) == (identity, positions, written_ms)
