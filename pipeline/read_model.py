"""What users keep of the operations: rows of their own, derived by code of their own."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.errors import InvalidInputError, InvalidModelError
from docreactor.pipeline.ids import check_name
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation

TAKEN = frozenset({"documents", "graph", "relationships"})
"""The platform's own, and what could be taken for them."""

Effect = Callable[[], Awaitable[object] | object]
"""Something to be done outside: a function without parameters, async or not."""

_FILTERS = ("document_types", "scopes", "branches")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation, in the order of the log; or that a document was erased.

    `superseded` are the operations of the same stream that stood until this one's skip took them
    away, the oldest first: what a reshuffle undoes before it comes again. `offset` is where it lies
    in its partition of `operations`. `is_replay` says that it is older than this read model, is
    built again beside rows that serve, or comes again because its document is retried.
    """

    document_id: str
    document_type: str
    scope: str
    branch: str
    operation: Operation | None
    superseded: tuple[Operation, ...]
    offset: int
    is_replay: bool
    ask: Callable[[], Awaitable[JSON]] = field(repr=False, compare=False)

    @property
    def erased(self) -> bool:
        """Whether the document is gone, on all its branches: drop what you hold of it.

        There is no operation then, and type, scope and branch are empty. It comes alone in its
        batch.
        """
        return self.operation is None

    @property
    def stream(self) -> Stream:
        """Which history it is of."""
        return Stream(self.document_id, self.scope, self.branch)

    async def state(self) -> JSON:
        """What the stream showed after the operation: undone and superseded ones count for nothing.

        In the version that the model had then. None for an erased document. It is a value of your
        own. The first states of a long history cost one reduce each, those close by the next.
        """
        return await self.ask()


class Writer(Protocol):
    """The read model's rows of one partition, as what was written before left them.

    A key is a text of 1 to 1,000 bytes, a value whatever JSON can say. What `apply` writes stands
    when it returns, and none of it when it raises.
    """

    @property
    def muted(self) -> bool:
        """Whether effects are left out: what is applied is a replay."""
        ...

    def get(self, key: str, default: JSON = None) -> JSON:
        """The value, one of your own; `default` where there is no such row."""
        ...

    def put(self, key: str, value: JSON) -> None:
        """Write a row over whatever was there."""
        ...

    def delete(self, key: str) -> None:
        """Remove a row, if there is one."""
        ...

    def scan(self, prefix: str = "") -> Iterator[tuple[str, JSON]]:
        """The rows whose keys begin so, by code points. Rows may be written meanwhile."""
        ...

    def effect(self, effect: Effect) -> None:
        """Do something outside once the rows are written; not while `muted`.

        What it raises is told in the journal and changes nothing. Not done when the process ends
        between the write and it.
        """
        ...


class ReadModel(ABC):
    """Rows that a function derives from the operations: one set for each partition.

    `name` is what they are asked for by; a higher `version` has them derived anew, while those of
    the old one go on serving. Without `document_types`, `scopes` or `branches` every operation is
    given, with them those that are among each; erasures are given always.
    """

    name: str = ""
    version: int = 1
    document_types: Collection[str] = ()
    scopes: Collection[str] = ()
    branches: Collection[str] = ()

    @abstractmethod
    def apply(self, batch: Sequence[Change], writer: Writer) -> Awaitable[None] | None:
        """Write what these changes make of the rows; `async def` where states are asked for.

        Rows and position are one write, so each operation is applied once. How the log is cut into
        batches is chance: it must make no difference. Neither may clock, dice or the network, for
        rows that are derived anew must be the same.
        """

    def forget(self, document_id: str, writer: Writer) -> Awaitable[None] | None:
        """Drop what was made of a document that is about to be applied again from its beginning.

        Called when a document that was set aside is retried. Without it, what was applied before
        it was set aside is applied again on top.
        """
        return None


def wants(model: ReadModel, stream: Stream, document_type: str | None = None) -> bool:
    """Whether the read model is to be given operations of a stream; None for a type not known."""
    if document_type is not None and model.document_types:
        return document_type in model.document_types and wants(model, stream)
    is_of_scope = not model.scopes or stream.scope in model.scopes
    return is_of_scope and (not model.branches or stream.branch in model.branches)


def check(model: ReadModel) -> ReadModel:
    """The read model itself, or InvalidModel saying what is wrong with it."""
    where = place_of(model)
    # Whatever an author gave: only a type checker would have refused it.
    name: Any = model.name
    try:
        check_name(name if isinstance(name, str) else "", field="name")
    except InvalidInputError as cause:
        raise InvalidModelError(f"read model {name!r} ({where}): {cause.message}") from cause
    if name in TAKEN:
        raise InvalidModelError(f"read model {name} ({where}): the platform has one, take another")
    version: Any = model.version
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InvalidModelError(
            f"read model {name} ({where}): version {version!r} is not 1 or more"
        )
    for filter in _FILTERS:
        if not _are_texts(getattr(model, filter)):
            raise InvalidModelError(f"read model {name} ({where}): {filter} is no list of texts")
    return model


def _are_texts(value: Any) -> bool:
    if isinstance(value, str) or not isinstance(value, Collection):
        return False
    return all(isinstance(one, str) for one in cast("Iterable[Any]", value))


def place_of(model: ReadModel | type[ReadModel]) -> str:
    """Where its class is defined, for messages."""
    kind = model if isinstance(model, type) else type(model)
    return f"{kind.__module__}:{kind.__qualname__}"


def is_ready_made(kind: type[ReadModel]) -> bool:
    """Whether a class needs nothing to be an instance: no abstract method, no argument, a name."""
    if inspect.isabstract(kind) or not kind.name:
        return False
    parameters = list(inspect.signature(kind).parameters.values())
    return all(
        one.default is not one.empty or one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        for one in parameters
    )
