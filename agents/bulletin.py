"""What the owner of a partition tells of its read models on the board."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docreactor.agents.coordinator import VIEW_PREFIX, ready_key, view_key
from docreactor.agents.deployment import Deployment
from docreactor.agents.kept import Kept
from docreactor.agents.model_row import RELATIONSHIPS, ModelRow
from docreactor.pipeline.errors import ReactorError, UnknownModelError
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached

Common = Callable[[], dict[str, Any]]
"""What every row of the partition says: its owner, epoch and end."""


class Bulletin:
    """One partition's rows, told anew whenever something moves."""

    def __init__(self, deployment: Deployment, partition: int, common: Common) -> None:
        self._deployment = deployment
        self._board = deployment.board
        self._partition = partition
        self._common = common

    def tell(self, kept: Kept, *, is_serving: bool) -> None:
        """Where one generation is, and how it fares."""
        key = view_key(kept.name, kept.generation, self._partition)
        self._board.tell(key, self._row(kept, is_serving=is_serving))

    def move(self, kept: Kept, serves: Callable[[Kept], bool | None]) -> None:
        """That its position has changed and nothing else. Asked later, `serves` says None of one
        that is kept no more.
        """

        def make() -> dict[str, Any] | None:
            is_serving = serves(kept)
            return None if is_serving is None else self._row(kept, is_serving=is_serving)

        if serves(kept):
            self._show(kept)
        self._board.mark(view_key(kept.name, kept.generation, self._partition), make)

    def _show(self, kept: Kept) -> None:
        """Let this process know at once what all others are told within 20 ms."""
        next_offset = Offset(kept.reached.next_offset)
        self._deployment.coordinator.show(kept.name, self._partition, next_offset)
        published = kept.projection.row().get("published")
        if published is not None:
            self._deployment.graph.show(self._partition, published, next_offset)

    def _row(self, kept: Kept, *, is_serving: bool) -> dict[str, Any]:
        row = self._common() | {
            "caught_up": kept.has_caught_up,
            "generation": kept.generation,
            "kind": "view",
            "name": kept.name,
            "next_offset": kept.reached.next_offset,
            "serving": is_serving,
        }
        error = holding(self._deployment, kept)
        if error is not None:
            row["error"] = error
        if kept.lane is not None and not kept.has_caught_up:
            row |= {"progress": kept.lane.progress, "rate": round(kept.lane.rate)}
        return row | kept.projection.row()

    def tell_missing(self, name: str, generation: int, reason: str, *, reached: int) -> None:
        """Why a generation is not kept here that READ_READY may be waiting for.

        `reached` is how far the model was shown before: nobody is to forget that.
        """
        row = self._common() | {
            "caught_up": False,
            "error": reason,
            "generation": generation,
            "kind": "view",
            "name": name,
            "next_offset": None,
            "reached": reached,
            "serving": False,
        }
        self._board.tell(view_key(name, generation, self._partition), row)

    def tell_ready(self, ready: Reached) -> None:
        """How far every required read model is."""

        def make() -> dict[str, Any]:
            return {"epoch": self._common()["epoch"], "next_offset": ready.next_offset}

        self._deployment.coordinator.ready(self._partition).advance(ready.next_offset)
        self._board.mark(ready_key(self._partition), make)

    def forget(self, name: str, generation: int) -> None:
        """That a generation is kept no more."""
        self._board.forget(view_key(name, generation, self._partition))

    def told(self) -> list[tuple[str, int]]:
        """The generations of which the board has a row of this partition, whoever told it."""
        rows = self._board.rows(VIEW_PREFIX)
        return [
            (row["name"], row.get("generation", 0))
            for row in rows
            if row["partition"] == self._partition
        ]


def tell_absent(deployment: Deployment, partition: int, common: dict[str, Any]) -> None:
    """That no generation of a read model is asked here at present."""
    coordinator = deployment.coordinator
    for name, model in coordinator.models.items():
        if model.is_retired:
            continue
        served = coordinator.served(name, partition)
        generation = model.generation if served is None else served
        row = common | {"generation": generation, "kind": "view", "name": name}
        row |= {"reached": coordinator.reached(name, partition), "serving": True}
        deployment.board.tell(view_key(name, generation, partition), row | {"next_offset": None})


def holding(deployment: Deployment, kept: Kept) -> str | None:
    """What keeps a generation from showing more, if anything does.

    What becomes of edges is shown by the graph of the node.
    """
    if kept.error is not None:
        return told(kept.error)
    graph = deployment.graph.error if kept.name == RELATIONSHIPS else None
    return None if graph is None else f"the graph of this node: {graph}"


def lacking(model: ModelRow) -> str:
    """Why a worker does not keep what it has no code for."""
    return (
        f"no read model {model.name} version {model.version} is loaded here: name it "
        f"with --models, or retire it with docreactor models retire {model.name}"
    )


def told(error: ReactorError | OSError) -> str:
    """What an operator is told."""
    if isinstance(error, UnknownModelError):
        return f"{error.name()}: {error}; the partition waits, or goes to a worker that has it"
    return str(error)
