"""The contract of key-value stores refuses what is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from docreactor.tables.key_value_contract import KeyValueContract
from docreactor.tables.keyframes import MemoryKeyValueStore

PROMISES = sorted(name for name in vars(KeyValueContract) if name.startswith("test_"))


class Ascending(MemoryKeyValueStore):
    """Gives its keys in the wrong order."""

    def descend(self, start: bytes, end: bytes) -> Iterator[bytes]:
        return reversed(list(super().descend(start, end)))


class Forgetful(MemoryKeyValueStore):
    """Loses what it holds when it is started again."""

    def startup(self) -> None:
        self.clear()


class Stripping(MemoryKeyValueStore):
    """Takes a value for text."""

    def put(self, key: bytes, value: bytes) -> None:
        super().put(key, value.strip(b"\0"))


class Keeping(MemoryKeyValueStore):
    """Removes nothing."""

    def delete(self, key: bytes) -> None:
        return

    def clear(self) -> None:
        return


def _broken(values: MemoryKeyValueStore) -> list[str]:
    broken: list[str] = []
    for promise in PROMISES:
        contract = KeyValueContract()
        contract.values = type(values)()
        try:
            getattr(contract, promise)()
        except AssertionError:
            broken.append(promise)
    return broken


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        (MemoryKeyValueStore(), []),
        (Ascending(), ["test_keys_descend_from_the_end_to_the_start"]),
        (Forgetful(), ["test_starting_and_stopping_again_does_nothing_more"]),
        (Stripping(), ["test_any_bytes_are_a_value"]),
        (
            Keeping(),
            [
                "test_a_value_is_there_until_it_is_deleted",
                "test_clearing_removes_everything",
                "test_keys_descend_from_the_end_to_the_start",
            ],
        ),
    ],
)
def test_each_promise_that_is_not_kept_is_found(
    values: MemoryKeyValueStore, broken: list[str]
) -> None:
    assert _broken(values) == broken
