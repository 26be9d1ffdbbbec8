"""How soon what was written can be read, and how fast that is from then on."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.agents.model_row import RELATIONSHIPS
from docreactor.bench.folders import Folders
from docreactor.bench.inside import open_inside
from docreactor.bench.meter import ends_of, metering
from docreactor.bench.questions import (
    asked_one_by_one,
    asked_side_by_side,
    inside,
    over_wire,
)
from docreactor.bench.rebuild import Readers, measure_rebuild
from docreactor.bench.report import Figure
from docreactor.bench.restart import measure_restart
from docreactor.bench.stage import READY_TIMEOUT_S, Stage
from docreactor.bench.wire import Wire, open_wire
from docreactor.bench.workload import Workload
from docreactor.bench.write import MODEL, measure_write
from docreactor.pipeline.errors import MeasurementFailedError
from docreactor.pipeline.position import Partition, Position

_READERS_PER_S = 100.0
_WRITTEN = ("actions to the view", "actions to READ_READY")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to read, and how often it is read in each way."""

    actions: int
    operations: int
    edges: int
    reads: int
    before_s: float = 10.0


async def measure_read(stage: Stage, workload: Workload, sizes: Sizes) -> list[Figure]:
    """Write actions, then operations up to so many; restart; add the graph; read, in both ways.

    At last the view is built anew.
    """
    run = await measure_write(stage, workload, sizes.actions)
    figures = [figure for figure in run.figures if figure.name in _WRITTEN]
    present = sizes.actions + 2 * workload.documents
    figures += await measure_restart(stage, workload, sizes.operations, present=present)
    folders = Folders(workload.partitions, sizes.edges)
    figures += await _graph(stage, workload, folders, sizes.reads)
    async with open_inside(stage, MODEL, tables=stage.tables) as node:
        questions = inside(node, workload, folders)
        figures += await asked_one_by_one(stage, "in process", questions, sizes.reads)
    operations = max(present, sizes.operations) + 2 * folders.count + folders.edges
    readers = Readers(_READERS_PER_S, sizes.before_s)
    return figures + await measure_rebuild(stage, workload, folders, readers, operations=operations)


async def _graph(stage: Stage, workload: Workload, folders: Folders, reads: int) -> list[Figure]:
    """Have a worker add the edges, then ask it for everything."""
    topic = stage.topics.actions
    await stage.fill(topic, folders.creations(), what="Creating folders", total=2 * folders.count)
    await stage.fill(topic, folders.relations(), what="Adding edges", total=folders.edges)
    ends = await ends_of(stage, stage.actions)
    async with metering(stage) as meter, stage.worker(MODEL) as worker:
        announcement = await worker.ready()
        written_s = await meter.consumed(ends, worker)
        related_s = await meter.reached(RELATIONSHIPS, worker)
        since_s = meter.running_since_s()
        async with open_wire(announcement.url) as wire:
            await _until_shown(stage, wire)
            figures = [
                Figure("edges", folders.edges),
                Figure("edges to operations", folders.edges / (written_s - since_s), "edges/s"),
                Figure("edges to READ_READY", folders.edges / (related_s - since_s), "edges/s"),
                Figure("memory with the graph", worker.usage().rss_bytes / 2**20, "MiB"),
            ]
            questions = over_wire(wire, workload, folders)
            figures += await asked_one_by_one(stage, "HTTP", questions, reads)
            figures += await asked_side_by_side(stage, "HTTP", questions, reads)
    return figures


async def _until_shown(stage: Stage, wire: Wire) -> None:
    """Wait until the worker's graph shows all that is written."""
    stage.say("Waiting for the graph")
    ends = await stage.log.end_offsets(stage.operations)
    wanted = {Partition(source.partition): end for source, end in ends.items()}
    token = Position(stage.log_id, wanted).token
    timeout_ms = int(READY_TIMEOUT_S / 2 * 1_000)
    answer = await wire.get(f"/v1/graph/types?token={token}&timeout_ms={timeout_ms}")
    if answer.status != 200:
        raise MeasurementFailedError(f"the graph was not shown: {answer.body.decode()[:500]}")
