"""A deployment that runs the models of files and folders, over a log in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from docreactor.examples.files import files, folders
from docreactor.gateway.app import create_app
from docreactor.gateway.client import Reactor
from docreactor.pipeline.settings import Settings
from tests.support.nodes import Site


@dataclass(frozen=True, slots=True)
class Running:
    """A client of it, and its one partition."""

    reactor: Reactor
    site: Site

    @property
    def stored(self) -> int:
        """How many operations are on the log."""
        return len(self.site.records(self.site.topics.operations))


@asynccontextmanager
async def running(**chosen: Any) -> AsyncGenerator[Running]:
    """One node of one partition."""
    settings = Settings(partitions=1, replication_factor=1, min_insync_replicas=1, **chosen)
    site = Site(settings, models=(files, folders))
    async with site.node() as node:
        app = create_app(node)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            Reactor("http://here", transport=transport, retry_for_s=5) as reactor,
        ):
            yield Running(reactor, site)
