"""A model whose state grows by as many bytes as each action says, and jobs that say so."""

from __future__ import annotations

from pydantic import BaseModel

from docreactor.agents.write_side import WriteSide
from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.state import State

DOCUMENT_TYPE = "bench/growth"
_SCOPE = "global"
_GROW = "GROW"
_TEXT = "what an editor of a document may well have typed between two of its commas, " * 3
_TEXT_BYTES = 200
_PART_OVERHEAD_BYTES = 3


class Growth(State):
    """What was added, part by part."""

    parts: tuple[str, ...] = ()


class Part(BaseModel):
    """A text, and how many bytes of it, repeated where it is too short, the state takes."""

    text: str
    kept_bytes: int


growth = DocumentModel(DOCUMENT_TYPE, state=Growth)


@growth.action
def grow(state: Growth, input: Part) -> Growth:
    """Add a part."""
    times = input.kept_bytes // len(input.text) + 1
    return state.replace(parts=(*state.parts, (input.text * times)[: input.kept_bytes]))


class Growing:
    """Actions of 200 bytes of text after which the state is `ratio` of a stored operation larger.

    Make it with `growing`.
    """

    def __init__(self, ratio: float, operation_bytes: int) -> None:
        self.ratio = ratio
        kept = max(0, round(ratio * operation_bytes) - _PART_OVERHEAD_BYTES)
        self._input: JSON = {"kept_bytes": kept, "text": _TEXT[:_TEXT_BYTES]}

    def actions(self, count: int) -> list[tuple[str, JSON]]:
        """So many of them."""
        return [(_GROW, self._input)] * count


async def growing(side: WriteSide, ratio: float) -> Growing:
    """Find out how large an operation is, on a document of its own."""
    await side.create(DOCUMENT_TYPE, "measured")
    await side.submit("measured", Growing(ratio, operation_bytes=1_000).actions(2))
    # The first one has none before it to name.
    stored = side.operations.get(stream_of("measured"), 1)
    return Growing(ratio, len(stored or b""))


def stream_of(document_id: str) -> Stream:
    """Where a document's parts are."""
    return Stream(document_id, _SCOPE, "main")
