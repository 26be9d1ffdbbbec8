"""What one partition's reducer knows."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.tables.cache import WriteCache
from docreactor.tables.keyframes import Keyframes
from docreactor.tables.operations import OperationsTable


@dataclass(frozen=True, slots=True)
class WriteTables:
    """The stored operations, the states kept of them, and those in memory."""

    operations: OperationsTable
    keyframes: Keyframes
    cache: WriteCache
