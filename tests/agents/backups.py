"""Deployments in memory to be exported from and imported into."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docreactor.agents.clock import SystemClock
from docreactor.agents.exporter import Exported, export
from docreactor.agents.importer import Imported, import_backup
from docreactor.agents.log import Log
from docreactor.agents.topics import create_topics
from docreactor.pipeline.keys import partition_for
from tests.support.nodes import Site, done, live, site

IDS = [f"d{number}" for number in range(6)]


def ignore(_what: str, _done: float) -> None:
    """Progress that nobody watches."""


async def write_to(place: Site, *, adds: int = 3) -> None:
    """Ledgers with some entries each, all of them on the one partition."""
    async with place.node() as node:
        for document_id in IDS:
            await done(node, place.creation(document_id))
            await done(node, place.job(document_id, [("ADD", {"amount": 1})] * adds))
    await create_topics(place.log(), place.settings)


async def exported(place: Site, path: Path) -> Exported:
    return await export(place.log(), place.settings, path, clock=SystemClock(), progress=ignore)


def elsewhere(partitions: int, **settings: Any) -> Site:
    """Another deployment, on a cluster of its own, in which nothing exists."""
    place = site("other", partitions=partitions, **settings)
    place.cluster.topics.clear()
    return place


async def imported(place: Site, path: Path, log: Log | None = None) -> Imported:
    return await import_backup(log or place.log(), place.settings, path, progress=ignore)


async def told(place: Site, ids: Sequence[str] = IDS) -> dict[str, Any]:
    """What a deployment shows of documents, and every stored byte of their histories."""
    found: dict[str, Any] = {}
    async with place.node() as node:
        for document_id in ids:
            part = live(node, partition_for(document_id, place.settings.partitions))
            shown = part.documents.document(document_id, "main")
            assert shown is not None, document_id
            streams = [
                (stream, part.operations.page(stream, 0, 1_000))
                for stream, _ in part.operations.streams()
                if stream.document_id == document_id
            ]
            found[document_id] = (shown.header.json, shown.state, streams)
    return found
