"""Tells every second how the partitions of one process are, also when nothing happens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count

import structlog

from docreactor.agents.deployment import Deployment
from docreactor.agents.partition import PartitionAgent
from docreactor.pipeline.errors import LogError

_log = structlog.get_logger(__name__)

_EVERY_S = 1.0
_LOOK_EVERY = 10


async def beat(deployment: Deployment, agents: Mapping[int, PartitionAgent]) -> None:
    """For ever. `agents` are those that run now, by partition."""
    for beats in count(1):
        await asyncio.sleep(_EVERY_S)
        if beats % _LOOK_EVERY == 0:
            # What was installed meanwhile is kept from now on.
            await asyncio.to_thread(deployment.registry.refresh)
        deployment.declare()
        for agent in agents.values():
            agent.tell()
        try:
            await _measure_lag(deployment, agents)
        except LogError as error:
            _log.warning("end offsets failed", detail=str(error))


async def _measure_lag(deployment: Deployment, agents: Mapping[int, PartitionAgent]) -> None:
    sources = [
        source(one) for one in agents for source in (deployment.actions, deployment.operations)
    ]
    if not sources:
        return
    ends = await deployment.log.end_offsets(sources)
    for partition, agent in list(agents.items()):
        agent.measure(
            ends.get(deployment.actions(partition)), ends.get(deployment.operations(partition))
        )
