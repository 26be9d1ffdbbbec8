"""Histories in short: an action is told as `name@second`, a log as `index:skip:name`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from docreactor.agents.log import Entry
from docreactor.agents.staging import Staging
from docreactor.pipeline.action import Action
from docreactor.pipeline.job import Incoming, Load
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation, StoredAction
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.store import Row
from tests.support import oracle
from tests.support.replicas import DOCUMENT, MAIN, Replica

SECOND = 1_000_000
BEGIN = 1_700_000_000 * SECOND
_EVERY_KEY = b"\xff" * 8


def at(second: float) -> str:
    """The time so many seconds after a replica's clock."""
    return render(Microseconds(BEGIN + round(second * SECOND)))


def action(told: str, type: str = "ADD", scope: str = "global", input: Any = None) -> Action:
    """`name@second`, or a name alone for one that the reducer stamps; by default it adds a word."""
    name, _, second = told.partition("@")
    if input is None:
        input = {"word": name} if type in ("ADD", "DROP") else {}
    return Action(name, type, scope, at(float(second)) if second else None, input)


def incoming(told: Action | str) -> Incoming:
    """An action as a load brings it that says nothing of where it stood."""
    given = action(told) if isinstance(told, str) else told
    assert given.timestamp is not None, "what was stored elsewhere has its time"
    stored = StoredAction(
        given.id, given.type, given.scope, given.timestamp, given.input, given.context
    )
    return Incoming(stored)


def upgrade(told: str, from_version: int = 1, to_version: int = 2, **given: Any) -> Action:
    """An upgrade of the document."""
    fields = {"model": "test/words", "document_id": DOCUMENT}
    versions = {"from_version": from_version, "to_version": to_version}
    return action(told, "UPGRADE_DOCUMENT", "document", fields | versions | given)


def deletion(told: str) -> Action:
    """The end of the document."""
    return action(told, "DELETE_DOCUMENT", "document", {"document_id": DOCUMENT})


@dataclass
class Told(Replica):
    """A replica that takes actions and tells its logs in short."""

    dead_letters: list[Entry] = field(default_factory=list)

    async def take(self, staging: Staging) -> list[str | None]:
        self.dead_letters += staging.dead_letters
        return await super().take(staging)

    async def mutate(self, *told: Action | str, stream: Stream = MAIN, **fields: Any) -> str | None:
        """One mutation of these actions; its error."""
        actions = [action(one) if isinstance(one, str) else one for one in told]
        (error,) = await self.submit(self.mutation(stream, actions, **fields))
        return error

    async def bring(self, *told: Action | str, stream: Stream = MAIN) -> str | None:
        """One load of these actions; its error."""
        (error,) = await self.submit(self.brought(*told, stream=stream))
        return error

    def brought(self, *told: Action | str, stream: Stream = MAIN) -> Load:
        """The load that brings these actions."""
        operations = tuple(incoming(one) for one in told)
        self.jobs += 1
        return Load(f"b{self.jobs}-0", stream.document_id, stream.branch, stream.scope, operations)

    async def receive(self, operations: Sequence[Operation], stream: Stream = MAIN) -> str | None:
        """One load of another replica's operations; its error."""
        (error,) = await self.submit(self.load(stream, operations, "elsewhere"))
        return error

    def log(self, stream: Stream = MAIN) -> str:
        """Everything stored."""
        return " ".join(f"{one.index}:{one.skip}:{one.action.id}" for one in self.stored(stream))

    def effective(self, stream: Stream = MAIN) -> str:
        """What no later skip retracts."""
        return " ".join(one.action.id for one in oracle.effective(self.stored(stream)))

    def errors(self, stream: Stream = MAIN) -> dict[str, str | None]:
        """The error of each effective operation, by the name of its action."""
        return {one.action.id: one.error for one in oracle.effective(self.stored(stream))}

    @property
    def words(self) -> list[str]:
        """What the view shows, which checks every operation's hash."""
        shown = self.documents.document(DOCUMENT, "main")
        assert shown is not None, "there is no document"
        assert self.documents.quarantine_of(DOCUMENT) is None
        state: Any = shown.state.get("global", {})
        return list(state.get("words", ()))

    @property
    def header(self) -> dict[str, Any]:
        """What the view shows of it."""
        header = self.documents.header(DOCUMENT, "main")
        assert header is not None, "there is no document"
        return header.json

    async def built(self, stream: Stream = MAIN) -> Any:
        """The head's state, built from the log alone."""
        self.tables.cache.clear()
        return (await self.tables.cache.get(stream)).state

    async def restarted(self, **settings: Any) -> Told:
        """The next process over the same rows, under other settings."""
        given = Settings.model_validate(self.settings.model_dump() | settings)
        other = Told(self.name, given, self.clock, jobs=self.jobs, consumed=self.consumed)
        rows = [Row(key, value) for key, value in self.store.scan(b"", _EVERY_KEY)]
        other.store.write(rows, {}, now_ms=1)
        other.sent = list(self.sent)
        shown: list[Any] = list(self.sent)
        await other.view.apply(shown, Offset(len(shown)))
        return other


async def told(*names: str, **settings: Any) -> Told:
    """A replica with the document, created at second 0, after these mutations."""
    replica = Told("here", Settings(app="test", **settings))
    await replica.create()
    for name in names:
        assert await replica.mutate(name) is None
    return replica
