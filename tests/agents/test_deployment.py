"""What every partition of one process shares."""

from docreactor.agents.log import TopicPartition
from tests.support.deployments import deployment
from tests.support.nodes import site


def test_a_partition_has_its_topics_and_its_writer() -> None:
    mine = deployment(site(app="mine"))
    assert mine.actions(3) == TopicPartition("mine.actions", 3)
    assert mine.operations(3) == TopicPartition("mine.operations", 3)
    assert mine.transactional_id(3) == "mine-actions-3"
