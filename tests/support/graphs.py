"""Graphs of documents in memory, from edges as they are written down."""

from __future__ import annotations

from collections.abc import Iterator

from docreactor.pipeline.edge import CHILD, Edge
from docreactor.pipeline.keys import partition_for
from docreactor.tables.graph import GraphTable
from docreactor.tables.memory import MemoryStore

PARTITIONS = 4
BRANCH = "main"


def graph_of(*lines: str) -> GraphTable:
    """A graph with these edges, each a second after the one before.

    `a > b c` makes two children of a, `a cites b` is an edge of another type.
    """
    graph = GraphTable(MemoryStore(), partition_count=PARTITIONS, documents_max=1_000)
    for second, edge in enumerate(edge for line in lines for edge in _edges(line)):
        put(
            graph,
            *edge,
            at=f"2024-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z",
        )
    return graph


def put(graph: GraphTable, source_id: str, edge_type: str, target_id: str, *, at: str) -> None:
    """Let the graph show an edge."""
    edge = Edge(
        source_id=source_id,
        branch=BRANCH,
        type=edge_type,
        target_id=target_id,
        metadata=None,
        created_at=at,
        updated_at=at,
    )
    partition = partition_for(source_id, PARTITIONS)
    graph.store.write(graph.rows_for(partition, [(edge.key, edge.encode())]), {}, now_ms=1)


def _edges(line: str) -> Iterator[tuple[str, str, str]]:
    source_id, said, *targets = line.split()
    edge_type = CHILD if said == ">" else said
    yield from ((source_id, edge_type, target_id) for target_id in targets)
