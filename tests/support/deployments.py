"""What the partitions of a process in memory share, without a process."""

from docreactor.agents.background import Background
from docreactor.agents.board import Board
from docreactor.agents.clock import SystemClock
from docreactor.agents.coordinator import Coordinator
from docreactor.agents.deadline import Deadline
from docreactor.agents.deployment import Deployment
from docreactor.agents.graph_store import follow_graph
from docreactor.agents.metrics import Metrics
from docreactor.agents.shelf import Shelf
from docreactor.pipeline.bound import Bound
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.replay import Replay
from tests.support.nodes import LOG_ID, Site


def deployment(place: Site) -> Deployment:
    """A process of this site that runs nothing yet."""
    registry, log = Registry(list(place.models)), place.log()
    bound = Bound(Deadline(1.0), 1_000)
    replay, board = Replay(registry, bound), Board(log, place.topics)
    store, clock = place.open_store("graph"), SystemClock()
    graph = follow_graph(log, board, store, place.settings, LOG_ID, clock)
    return Deployment(
        log=log,
        log_id=LOG_ID,
        settings=place.settings,
        topics=place.topics,
        registry=registry,
        replay=replay,
        board=board,
        graph=graph,
        coordinator=Coordinator(board, LOG_ID, place.settings.partitions),
        shelf=Shelf(place.open_store, replay, place.settings),
        metrics=Metrics(),
        bound=bound,
        clock=SystemClock(),
        url="http://here",
        node_id="node-1",
        gentle=Background(),
    )
