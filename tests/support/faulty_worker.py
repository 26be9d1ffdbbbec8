"""The product's worker on a disk that fails at some keys while a file says which."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from docreactor.gateway.cli import main
from docreactor.pipeline.errors import StoreFailedError
from docreactor.tables.rocks import RocksStore

FAULT = "FAULT_FILE"
"""The environment variable with the file's path. Keys that hold its content cannot be read."""


def fail_while_told(path: Path) -> None:
    """Have every RocksDB of this process fail so."""
    read = RocksStore.get_many

    def get_many(self: RocksStore, keys: Sequence[bytes]) -> Sequence[bytes | None]:
        fault = path.read_bytes() if path.exists() else b""
        if fault and any(fault in key for key in keys):
            raise StoreFailedError("this disk fails as it was told to")
        return read(self, keys)

    RocksStore.get_many = get_many  # type: ignore[method-assign]


if __name__ == "__main__":
    fail_while_told(Path(os.environ[FAULT]))
    main()
