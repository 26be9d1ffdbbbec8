"""What every partition of one process shares."""

from docreactor.agents.board import Board
from docreactor.agents.clock import SystemClock
from docreactor.agents.deadline import Deadline
from docreactor.agents.deployment import Deployment
from docreactor.agents.log import TopicPartition
from docreactor.agents.metrics import Metrics
from docreactor.agents.shelf import Shelf
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from tests.support.nodes import LOG_ID, site


def test_a_partition_has_its_topics_and_its_writer() -> None:
    place = site(app="mine")
    registry, log = Registry(list(place.models)), place.log()
    replay = Replay(registry)
    deployment = Deployment(
        log=log,
        log_id=LOG_ID,
        settings=place.settings,
        topics=place.topics,
        registry=registry,
        replay=replay,
        board=Board(log, place.topics),
        shelf=Shelf(place.open_store, replay, place.settings),
        metrics=Metrics(),
        deadline=Deadline(1.0),
        clock=SystemClock(),
        url="http://here",
        node_id="node-1",
    )
    assert deployment.actions(3) == TopicPartition("mine.actions", 3)
    assert deployment.operations(3) == TopicPartition("mine.operations", 3)
    assert deployment.transactional_id(3) == "mine-actions-3"
