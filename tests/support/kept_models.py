"""Read models under test: of states, of operations, and one that fails at will."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from docreactor.pipeline.read_model import Change, ReadModel, Writer


class States(ReadModel):
    """What each stream shows, and in how many documents each word stands in some scope."""

    name = "states"

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            if change.erased:
                for key, state in list(writer.scan(f"of/{change.document_id}/")):
                    self._count(writer, state, -1)
                    writer.delete(key)
                continue
            key = f"of/{change.document_id}/{change.scope}/{change.branch}"
            self._count(writer, writer.get(key, {}), -1)
            state = await change.state()
            self._count(writer, state, 1)
            writer.put(key, state)

    def forget(self, document_id: str, writer: Writer) -> None:
        for key, state in list(writer.scan(f"of/{document_id}/")):
            self._count(writer, state, -1)
            writer.delete(key)

    def _count(self, writer: Writer, state: dict[str, list[str]], by: int) -> None:
        for word in state.get("words", ()):
            key = f"word/{word}"
            count = writer.get(key, 0) + by
            if count:
                writer.put(key, count)
            else:
                writer.delete(key)


class Standing(ReadModel):
    """The operations that stand, by what each skip takes away."""

    name = "standing"

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            operation = change.operation
            if operation is None:
                self.forget(change.document_id, writer)
                continue
            stream = f"{change.document_id}/{change.scope}/{change.branch}"
            for gone in change.superseded:
                writer.delete(f"{stream}/{gone.index:05d}")
            writer.put(f"{stream}/{operation.index:05d}", operation.action.id)

    def forget(self, document_id: str, writer: Writer) -> None:
        for key, _ in list(writer.scan(f"{document_id}/")):
            writer.delete(key)


class Counts(ReadModel):
    """How often each action of each document was given: what comes twice is seen."""

    name = "counts"

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            operation = change.operation
            if operation is None:
                self.forget(change.document_id, writer)
                continue
            key = f"{change.document_id}/{operation.action.id}/{change.scope}"
            writer.put(key, writer.get(key, 0) + 1)

    def forget(self, document_id: str, writer: Writer) -> None:
        for key, _ in list(writer.scan(f"{document_id}/")):
            writer.delete(key)


class Tally(ReadModel):
    """How often each action was given, in the order of the log; it fails where it is told to."""

    name = "tally"

    def __init__(self, fails: Callable[[Change], bool] = lambda _: False) -> None:
        self.fails = fails
        self.given: list[tuple[str, int]] = []
        self.sizes: list[int] = []

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        self.sizes.append(len(batch))
        for change in batch:
            if change.operation is None:
                writer.put(f"gone/{change.document_id}", change.offset)
                continue
            writer.put("last", change.operation.action.id)
            key = f"{change.document_id}/{change.operation.action.id}"
            writer.put(key, writer.get(key, 0) + 1)
            self.given.append((change.document_id, change.operation.index))
            if self.fails(change):
                raise ValueError(f"no {change.operation.action.id}")
            writer.effect(lambda: None)
