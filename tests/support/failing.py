"""A store whose disk fails for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docreactor.pipeline.errors import StoreFailedError
from tests.support.nodes import KeptStore


class FailingStore(KeptStore):
    """Fails so many looks at actions of which `concerns` says so, as a damaged file does."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.looks = 0
        self.error: Callable[[], OSError | StoreFailedError] = lambda: StoreFailedError("torn")
        self.concerns: Callable[[bytes], bool] = lambda _: True

    def get_many(self, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        """As any store, or the failure."""
        if any(map(self.concerns, keys)):
            self.looks += 1
            if self.failures:
                self.failures -= 1
                raise self.error()
        return super().get_many(keys)
