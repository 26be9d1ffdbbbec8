"""What every partition of one process shares."""

from __future__ import annotations

from dataclasses import dataclass

from docreactor.agents.background import Background
from docreactor.agents.board import Board
from docreactor.agents.clock import Clock
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.delays import Delays
from docreactor.agents.graph_follower import GraphFollower
from docreactor.agents.log import Log, TopicPartition
from docreactor.agents.metrics import Metrics
from docreactor.agents.model_row import DOCUMENTS, RELATIONSHIPS
from docreactor.agents.shelf import DOCUMENTS_SCHEMA, RELATIONSHIPS_SCHEMA, Shelf
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import Topics
from docreactor.tables.wait import Reached


def transactional_id(app: str, partition: int) -> str:
    """Whose transactions write this partition of the deployment."""
    return f"{app}-actions-{partition}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One process's view of the deployment that it takes part in."""

    log: Log
    log_id: str
    settings: Settings
    topics: Topics
    registry: Registry
    replay: Replay
    board: Board
    shelf: Shelf
    coordinator: Coordinator
    graph: GraphFollower
    metrics: Metrics
    bound: Bound
    clock: Clock
    url: str
    node_id: str
    gentle: Background
    """What may wait for those who ask."""

    def transactional_id(self, partition: int) -> str:
        """Whose transactions write this partition."""
        return transactional_id(self.settings.app, partition)

    def actions(self, partition: int) -> TopicPartition:
        """Where this partition's jobs come from."""
        return TopicPartition(self.topics.actions, partition)

    def declare(self) -> None:
        """Make the read models known that this process runs."""
        self.coordinator.declare(DOCUMENTS, DOCUMENTS_SCHEMA)
        self.coordinator.declare(RELATIONSHIPS, RELATIONSHIPS_SCHEMA)
        for model in self.registry.read_models.values():
            self.coordinator.declare(model.name, model.version)

    def delays(self, written: Reached) -> Delays:
        """What measures how long after a write a partition's read models show it."""
        return Delays(written, self.metrics.read_ready_s, self.clock.monotonic_s)

    def operations(self, partition: int) -> TopicPartition:
        """Where this partition's operations go."""
        return TopicPartition(self.topics.operations, partition)
