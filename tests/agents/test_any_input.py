"""Whatever comes: every job ends, and what was stored is shown, checked and forwarded."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docreactor.agents.inbox import Room
from docreactor.agents.metrics import Metrics
from docreactor.agents.staging import result_entries
from docreactor.agents.view import ViewAgent
from docreactor.pipeline.errors import UnknownModelError
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.position import Offset
from docreactor.pipeline.settings import Settings
from docreactor.tables.stream_check import Checked
from docreactor.tables.verification import verify
from tests.support import oracle
from tests.support.any_jobs import AnyJobs
from tests.support.replicas import DOCUMENT, HOME, Record, Replica

EXAMPLES = int(os.environ.get("DOCREACTOR_TEST_SEEDS", "200"))


class Storm:
    """One replica under whatever comes, with a second view that reads in other portions."""

    def __init__(self, chance: AnyJobs) -> None:
        self.chance = chance
        every = chance.choice([1, 3, 10])
        self.settings = Settings(app="test", keyframe_policy="fixed", keyframe_interval=every)
        self.replica = Replica("a", self.settings)
        self.other = Replica("other", self.settings)
        self.other.view = ViewAgent(
            self.other.documents,
            self.replica.replay,
            self.settings,
            self.replica.tables,
            topic="test.operations",
            metrics=Metrics(),
            now_ms=lambda: 1,
        )
        self.read = 0

    async def batch(self) -> None:
        replica, chance = self.replica, self.chance
        replica.clock += chance.choice([0, 1, 5])
        first = replica.consumed
        jobs = [chance.job(first + at) for at in range(chance.choice([1, 1, 2, 4]))]
        replica.consumed += len(jobs)
        records: list[Any] = [Record(first + at, b"k", job) for at, job in enumerate(jobs)]
        try:
            await self.take(records, is_resumed=False)
            while replica.deferral.is_ready():
                await self.take(replica.deferral.take(Room(100, 1 << 30)), is_resumed=True)
        except UnknownModelError:
            # The worker waits for it; nothing of the batch is committed.
            return

    async def take(self, records: Sequence[Any], *, is_resumed: bool) -> None:
        staging = await self.replica.reducer.reduce(records, is_resumed=is_resumed)
        result_entries(staging.ended, log_id="0" * 32, partition=0, first_offset=0, reached=0)
        await self.replica.take(staging)

    async def look(self) -> None:
        """Show some of what was stored in the other view; now and then forget what is cached."""
        chance = self.chance
        end = chance.randint(self.read, len(self.replica.sent))
        if chance.random() < 0.3:
            self.other.view.forget()
            self.replica.tables.cache.clear()
        await self.show(end)

    async def show(self, end: int) -> None:
        news: list[Any] = self.replica.sent[self.read : end]
        await self.other.view.apply(news, Offset(end))
        self.read = end

    async def check(self) -> None:
        replica, chance = self.replica, self.chance
        await self.show(len(replica.sent))
        shown, again = replica.documents, self.other.documents
        assert list(shown.quarantined()) == list(again.quarantined()) == []
        assert dict(shown.store.scan(b"", b"\xff")) == dict(again.store.scan(b"", b"\xff"))
        tables = replica.tables
        checked = Checked(
            replica.replay, self.settings, tables.operations, replica.keyframes, shown
        )
        verdict = await verify(checked, DOCUMENT)
        assert verdict is None or not any(map(self.stands, verdict.findings))
        tables.cache.clear()
        for stream, _ in tables.operations.streams():
            state = await tables.cache.get(stream)
            row = shown.row(stream)
            assert row is not None
            assert replica.replay.decode(stream, row) == state
        shown.document(DOCUMENT, "main")
        await self.forward(Replica("b", self.settings), chance)

    def stands(self, finding: Finding) -> bool:
        """Whether it tells of more than what was superseded, which nobody builds upon.

        What was decided before an upgrade took another's place is folded with the later one.
        """
        if finding.fault is not Fault.HASH_MISMATCH:
            return True
        stream = Stream(DOCUMENT, str(finding.scope), str(finding.branch))
        standing = oracle.effective(self.replica.stored(stream))
        return finding.index in {one.index for one in standing}

    async def forward(self, receiver: Replica, chance: AnyJobs) -> None:
        """Another replica takes all of it, and comes to the same."""
        news = list(self.replica.first_seen())
        chance.shuffle(news)
        for stream in sorted({at for at, _ in news}):
            whole = [one for at, one in news if at == stream]
            cut = len(whole) if stream == HOME else chance.randint(0, len(whole))
            for part in (whole[:cut], whole[cut:]):
                assert await receiver.submit(receiver.load(stream, part)) == [None]
        for stream, _ in self.replica.tables.operations.streams():
            assert self.history(self.replica, stream) == self.history(receiver, stream)

    def history(self, replica: Replica, stream: Stream) -> list[tuple[Any, ...]]:
        return [
            (one.action, one.error, one.hash, one.version)
            for one in oracle.effective(replica.stored(stream))
        ]


async def weather(seed: int) -> None:
    storm = Storm(AnyJobs(seed))
    if storm.chance.random() < 0.9:
        await storm.replica.create()
    for _ in range(storm.chance.randint(2, 14)):
        await storm.batch()
        await storm.look()
    await storm.check()


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**64))
def test_whatever_comes_every_job_ends_and_what_is_stored_is_shown(seed: int) -> None:
    asyncio.run(weather(seed))
