"""What one partition's reducer knows."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from docreactor.pipeline.operation import Operation
from tests.support.notation import told
from tests.support.replicas import MAIN


async def test_operations_keyframes_and_cache_tell_of_the_same_histories() -> None:
    names = [f"A{number}@{number}" for number in range(30)]
    replica = await told(*names, keyframe_policy="fixed", keyframe_interval=10)
    tables = replica.tables
    newest = tables.cache.newest(MAIN)
    assert newest is not None
    stored = [Operation.decode(content) for _, content in tables.operations.page(MAIN, 0, 100)]
    assert (newest.state.label, newest.state.hash) == (29, stored[29].hash)
    labels = list(tables.keyframes.labels(MAIN, 29))
    assert labels == [20, 10]
    tables.cache.clear()
    assert [(await tables.cache.get(MAIN, label)).hash for label in labels] == [
        stored[label].hash for label in labels
    ]


async def test_the_tables_of_a_partition_stay_the_same() -> None:
    tables = (await told()).tables
    with pytest.raises(FrozenInstanceError):
        tables.cache = tables.cache  # type: ignore[misc]  # that it cannot be is the point
