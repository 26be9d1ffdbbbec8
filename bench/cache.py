"""The write cache, measured over RocksDB in a temporary directory: no Kafka is started."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from docreactor.bench.cache_memory import measure_eviction, measure_memory
from docreactor.bench.cache_rebuild import Histories, measure_rebuild
from docreactor.bench.cache_workload import Mix, measure_mix, measure_saving
from docreactor.bench.machine import machine
from docreactor.bench.report import Figure, Report
from docreactor.gateway.broker.progress import Progress, Step

RATIOS = (0.1, 0.3, 1.0)
_SHORT = 100
_WRITTEN = 10_000
"""So many operations in each set of histories: enough to time what writing them takes."""
_PARTITIONS = 8
_HIT_RATE = "over 80"


@dataclass(frozen=True, slots=True)
class Cache:
    """How the measurement is asked for: histories of 100 and of so many operations.

    The other numbers say how much of everything else: each default gives figures that last.
    """

    operations: int = 1_000
    documents: int = 2_000
    steps: int = 20_000
    passes: int = 3
    memory_documents: int = 50
    puts: int = 100_000

    @property
    def name(self) -> str:
        """What it is called."""
        return "cache"

    def mixes(self) -> Sequence[tuple[Mix, str]]:
        """A partition's share of the documents, and all of them in one partition."""
        share = self.documents // _PARTITIONS or 1
        return (
            (Mix(f"{share} documents in a partition", share, self.steps, skew=0), _HIT_RATE),
            (
                Mix(f"{self.documents} documents, some popular", self.documents, self.steps, 1.0),
                "",
            ),
        )

    async def measure(self, directory: Path, progress: Progress) -> list[Figure]:
        """Take it."""
        figures: list[Figure] = []
        for operations in (_SHORT, self.operations):
            for ratio in RATIOS:
                histories = Histories(operations, ratio, _WRITTEN // operations or 1)
                progress(Step(f"Writing and reading {histories.name}"))
                place = directory / f"{operations}-{ratio}"
                figures += await measure_rebuild(place, histories, self.passes)
        progress(Step("One action, cached and not"))
        figures += await measure_saving(directory / "saving", actions=20)
        for number, (mix, goal) in enumerate(self.mixes()):
            progress(Step(f"A mixed workload: {mix.name}"))
            figures += await measure_mix(directory / f"mix-{number}", mix, goal=goal)
        progress(Step("Memory"))
        figures += measure_eviction(self.puts)
        return figures + await measure_memory(self.memory_documents)


def take_cache(measurement: Cache, *, directory: Path | None, progress: Progress) -> Report:
    """Take it in a new directory under `directory`, which goes with it."""
    before = machine()
    with tempfile.TemporaryDirectory(prefix="docreactor-bench-", dir=directory) as place:
        figures = asyncio.run(measurement.measure(Path(place), progress))
    return Report(measurement.name, asdict(measurement), figures, before)
