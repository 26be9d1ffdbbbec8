"""This process among the workers: which partitions are its own, and what is fetched of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from docreactor.agents.deployment import Deployment
from docreactor.agents.heartbeat import beat
from docreactor.agents.log import Member, TopicPartition
from docreactor.agents.partition import PartitionAgent
from docreactor.pipeline.errors import LogError, MemberIdTakenError

_log = structlog.get_logger(__name__)

_FETCH_COUNT = 8_000
_FETCH_MS = 200
_RETRY_S = 0.5


class Membership:
    """Runs an agent for each partition that the group assigns to this process."""

    def __init__(self, deployment: Deployment, tasks: asyncio.TaskGroup) -> None:
        self._deployment = deployment
        self._tasks = tasks
        self._agents: dict[int, PartitionAgent] = {}
        self._was_assigned = False
        self._member: asyncio.Future[Member] = asyncio.get_running_loop().create_future()

    @property
    def agents(self) -> Mapping[int, PartitionAgent]:
        """Those that run now, by partition."""
        return self._agents

    def is_ready(self) -> bool:
        """Whether every partition that is assigned here serves."""
        return self._was_assigned and all(agent.live() for agent in self._agents.values())

    async def revoked(self, sources: frozenset[TopicPartition]) -> None:
        """Stop serving, finish what is in flight; what does not end in time is cancelled."""
        leaving = [
            self._agents.pop(one)
            for one in {source.partition for source in sources}
            if one in self._agents
        ]
        if not leaving:
            return
        within_s = self._deployment.settings.rebalance_timeout_ms / 2000
        departures = [asyncio.create_task(agent.leave()) for agent in leaving]
        _, late = await asyncio.wait(departures, timeout=within_s)
        for task in late:
            task.cancel()
        for agent in leaving:
            agent.cancel()

    async def assigned(self, sources: frozenset[TopicPartition]) -> None:
        """Start a life for each partition, and return."""
        topics = self._deployment.topics
        partitions = frozenset(
            source.partition for source in sources if source.topic == topics.actions
        )
        self._was_assigned = True
        self._deployment.shelf.keep(partitions)
        for partition in sorted(partitions):
            agent = PartitionAgent(self._deployment, partition, self._member)
            self._agents[partition] = agent
            agent.start(self._tasks)

    async def run(self) -> None:
        """Join the group and hand out what it fetches, until cancelled."""
        deployment = self._deployment
        topics = deployment.topics
        member = await deployment.log.member([topics.actions, topics.operations], self)
        self._member.set_result(member)
        heartbeat = self._tasks.create_task(beat(deployment, self._agents))
        try:
            while True:
                try:
                    fetched = await member.fetch(count_max=_FETCH_COUNT, timeout_ms=_FETCH_MS)
                except MemberIdTakenError:
                    raise
                except LogError as error:
                    _log.warning("fetch failed", detail=str(error))
                    await asyncio.sleep(_RETRY_S)
                    continue
                for source, batch in fetched.items():
                    agent = self._agents.get(source.partition)
                    if agent is not None:
                        agent.offer(source, batch)
        finally:
            heartbeat.cancel()
            sources = frozenset(deployment.actions(one) for one in self._agents)
            await self.revoked(sources)
            await member.close()
