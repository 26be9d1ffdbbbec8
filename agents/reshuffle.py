"""Puts actions where their times say, and moves what stood there behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import chain
from time import perf_counter

from docreactor.agents.placement import Placed, Placement, decided_under
from docreactor.agents.precondition import check_context
from docreactor.agents.staged_history import StagedHistory
from docreactor.agents.staging import Mark, Staging, StreamStage
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.action import DOCUMENT_SCOPE, MARKERS
from docreactor.pipeline.canonical import decode
from docreactor.pipeline.document import Document, Upgraded
from docreactor.pipeline.errors import (
    DocumentAlreadyExistsError,
    ExcessiveReshuffleError,
    HashMismatchError,
    NothingToRedoError,
    NothingToUndoError,
)
from docreactor.pipeline.inputs import check_base
from docreactor.pipeline.job import Incoming
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.operation import Operation
from docreactor.pipeline.order import LATER, Key, key_of
from docreactor.pipeline.reduce import WRONG_ACTION, sentence
from docreactor.pipeline.reducer import input_content
from docreactor.pipeline.replay import REFUSALS, Replay
from docreactor.pipeline.stream_state import StreamState
from docreactor.pipeline.timestamp import parse, render
from docreactor.tables import fields
from docreactor.tables.descent import ORIGIN, standing
from docreactor.tables.leaps import Leap
from docreactor.tables.rebuild import Rebuild, Rebuilt
from docreactor.tables.trails import Trails

_STRETCH_S = 0.02


class Reshuffle:
    """Places the actions of one job, or of several loads, in one go.

    What is placed for a `mutation` is refused as a whole by its name; otherwise what no state
    could cure becomes the error of its operation.
    """

    def __init__(
        self,
        tables: WriteTables,
        placement: Placement,
        replay: Replay,
        staging: Staging,
        *,
        rows_max: int,
        is_mutation: bool,
    ) -> None:
        self._tables = tables
        self._placement = placement
        self._replay = replay
        self._staging = staging
        self._rows_max = rows_max
        self._is_mutation = is_mutation
        self._moved = 0
        self._trails = Trails()
        self.marks: list[Mark] = []
        """Where the streams stood that were touched."""

    def undo(self) -> None:
        """Forget everything that was placed."""
        for mark in reversed(self.marks):
            self._staging.undo(mark)

    async def place(self, fresh: Sequence[Placed], stage: StreamStage) -> None:
        """Stage what placing these actions writes. Raises the named refusal."""
        before = stage.document
        await self._merge(stage, fresh, min(_key(placed) for placed in fresh))
        after = stage.document
        if stage.stream.scope == DOCUMENT_SCOPE and before is not None and after is not None:
            since = _changed_since(before, after)
            if since is not None:
                await self._decide_anew(stage, since)

    async def _decide_anew(self, home: StreamStage, since: str) -> None:
        """Other scopes from this time on are of another version: their operations move."""
        for stage in self.siblings(home):
            if not since or stage.head.latest_us >= parse(since):
                await self._merge(stage, [], Key(LATER, since, ""))

    def siblings(self, home: StreamStage) -> list[StreamStage]:
        """The stages of the other scopes of the document's branch that have operations."""
        document_id, _, branch = home.stream
        stored = self._tables.operations.scopes(document_id, branch)
        scopes = {
            *stored,
            *(
                stream.scope
                for stream in self._staging.streams
                if stream.document_id == document_id and stream.branch == branch
            ),
        }
        found: list[StreamStage] = []
        for scope in sorted(scopes - {DOCUMENT_SCOPE}):
            stream = Stream(document_id, scope, branch)
            is_new = stream not in self._staging.streams
            stage = self._staging.stage(stream)
            if is_new:
                stage.load(stored[scope])
            if stage.head.next_index:
                found.append(stage)
        return found

    async def check_transitions(self, home: StreamStage) -> None:
        """UpgradeFailed unless every scope's state can be had in the document's version."""
        document = home.document
        if home.stream.scope != DOCUMENT_SCOPE or document is None or not self.marks:
            return
        before = self.marks[0].state
        if before is None or before.version == document.version:
            return
        for stage in self.siblings(home):
            state = stage.state
            if state is None:
                state = (await self._build(stage, stage.head.next_index - 1)).state
            self._replay.check_transition(stage.stream, state, document)

    async def _merge(self, stage: StreamStage, fresh: Sequence[Placed], first: Key) -> None:
        """Append the fresh actions and whatever stands behind the first of them, in order."""
        at, logical, displaced = await self._displaced(stage, first)
        # What is displaced has its order: nothing sorts all of it at once.
        has_displaced = bool(displaced)
        merged = merge(_taken(displaced), sorted(fresh, key=_key), key=_key)
        leading = next(merged, None)
        if leading is None:
            return
        self.marks.append(self._staging.mark(stage))
        self._check_context(leading, stage)
        skip = 0
        if has_displaced:
            skip = stage.head.next_index - logical
            stage.state = None if at == ORIGIN else (await self._build(stage, at)).state
        since = perf_counter()
        for placed in chain([leading], merged):
            await self._append(placed, stage, at=at, skip=skip)
            at, skip = stage.head.next_index - 1, 0
            if perf_counter() - since > _STRETCH_S:
                await asyncio.sleep(0)
                since = perf_counter()

    async def _displaced(self, stage: StreamStage, first: Key) -> tuple[int, int, list[Placed]]:
        """What stands behind a key: the index before it, its lowest logical index, and itself."""
        last = logical = stage.head.next_index - 1
        displaced: list[Placed] = []
        is_last = first.rank == LATER and first.timestamp != ""
        if is_last and parse(first.timestamp) > stage.head.latest_us:
            return last, logical, displaced
        history = StagedHistory(self._tables.operations, stage)
        async for index, lowest, content in standing(history, stage.stream, last):
            if fields.order_key(content) < first:
                return index, logical, displaced
            self._moved += 1
            if self._moved > self._rows_max:
                raise ExcessiveReshuffleError(count=self._moved, max=self._rows_max)
            action = Operation.decode(content).action
            displaced.append(Placed(action, parse(action.timestamp), None))
            logical = lowest
        return ORIGIN, logical, displaced

    async def _append(self, placed: Placed, stage: StreamStage, *, at: int, skip: int) -> None:
        """Decide one action behind the effective history that ends at index `at`."""
        action, timestamp = placed.action, render(placed.moment)
        input, index, previous = input_content(action.input), stage.head.next_index, stage.head
        if not skip:
            self._check_context(placed, stage)
        error: str | None = None
        leap: Leap | None = None
        try:
            if action.type in MARKERS:
                check_base("", stage.stream.scope, action.type, decode(input))
                built = await self._build(stage, at, marker=action.type)
                state, leap = built.state, built.leap
            else:
                state, error = self._placement.reduce(action, input, timestamp, stage)
        except (*WRONG_ACTION, *REFUSALS, NothingToUndoError, NothingToRedoError) as cause:
            # Of two creations neither may take the other's document, whichever is the older.
            if isinstance(cause, DocumentAlreadyExistsError) or (
                self._is_mutation and placed.key is not None
            ):
                raise
            state, error = self._unchanged(stage), sentence(cause)
        if error is not None:
            leap = Leap(at)
        state = state._replace(label=index)
        staging = self._staging
        self._placement.stage(placed, timestamp, input, state, error, stage, staging, skip=skip)
        self._trails.add(stage.stream, state, leap)
        if (
            placed.incoming is not None
            and not skip
            and previous.previous == (placed.incoming.previous)
        ):
            self._compare(placed.incoming, state, stage)

    def _check_context(self, placed: Placed, stage: StreamStage) -> None:
        """RevisionMismatch where a mutation's action names another operation before it."""
        if self._is_mutation and placed.key is not None and placed.action.context:
            check_context(placed.action.context, stage)

    def _compare(self, incoming: Incoming, state: StreamState, stage: StreamStage) -> None:
        """HashMismatch where the sender had the same operations before it and another state.

        Only what was decided under the same version can be compared. A sender that does not tell
        the version may know of an upgrade that is not here yet, or not know of one that is.
        """
        if incoming.version is None:
            is_comparable = stage.home is stage or self._has_one_version(stage.document)
        else:
            version = decided_under(state, stage, incoming.action.timestamp)
            is_comparable = incoming.version == version
        if not is_comparable:
            return
        if incoming.index == state.label and incoming.hash not in (None, state.hash):
            raise HashMismatchError(
                stage.stream.document_id,
                key=f"{stage.stream.prefix}{state.label}",
                expected=str(incoming.hash),
                actual=state.hash,
            )

    def _has_one_version(self, document: Document | None) -> bool:
        """Whether the document was never upgraded and could not be."""
        return (
            document is not None
            and len(document.upgrades) < 2
            and self._replay.newest_version(document) == document.version
        )

    def _unchanged(self, stage: StreamStage) -> StreamState:
        return stage.state or self._replay.origin(stage.stream, stage.document)

    async def _build(self, stage: StreamStage, label: int, *, marker: str | None = None) -> Rebuilt:
        history = StagedHistory(self._tables.operations, stage)
        rebuild = Rebuild(self._replay, history, self._tables.keyframes)
        document = None if stage.home is stage else stage.document
        bases = self._tables.cache.bases(stage.stream, label)
        trail = self._trails.of(stage.stream)
        return await rebuild.build(stage.stream, document, label, bases, marker=marker, trail=trail)


def _taken(newest_first: list[Placed]) -> Iterator[Placed]:
    """All of them, the oldest first. Let go of one by one: at once, that takes its time too."""
    while newest_first:
        yield newest_first.pop()


def _key(placed: Placed) -> Key:
    return key_of(placed.action, render(placed.moment))


def _changed_since(before: Document, after: Document) -> str | None:
    """From which time on other versions are in force, "" for all times, None for no change."""
    if before.upgrades == after.upgrades:
        return None
    if before.first != after.first:
        return ""
    apart = [one for one in (*before.upgrades, *after.upgrades) if not _both(one, before, after)]
    return min(upgrade.timestamp for upgrade in apart)


def _both(upgrade: Upgraded, before: Document, after: Document) -> bool:
    return upgrade in before.upgrades and upgrade in after.upgrades
