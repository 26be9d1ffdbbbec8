"""Whether what a partition's owner has written is ended everywhere, by a transaction's marker."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import orjson

from docreactor.agents.log import Entry, Isolation, Log, TopicPartition, Transaction
from docreactor.pipeline.errors import LogError
from docreactor.pipeline.position import Offset

_GRACE_S = 0.5
_WAIT_S = 2.0
_POLL_S = 0.005


class Markers:
    """Knows where the owner's records end, and waits until their markers stand behind them.

    A Kafka may lose the marker of a transaction that it holds for ended, where the partition has
    no leader at that moment (KAFKA-20734). The next marker of the same transactional id decides
    over what the lost one has left open. So no transaction begins before the last one's markers
    were seen: what stands open is always of one transaction only.
    """

    def __init__(self, log: Log, sources: Sequence[TopicPartition]) -> None:
        self._log = log
        self._sources = sources
        self._ends: dict[TopicPartition, Offset] = {}
        self._awaited: dict[TopicPartition, Offset | None] = {}

    async def missing(self) -> Mapping[TopicPartition, range]:
        """What stands open although the transactional id has just been opened."""
        ends = await self._log.end_offsets(self._sources, Isolation.UNCOMMITTED)
        stable = await self._stable(ends, _GRACE_S)
        self._ends = dict(ends)
        return {
            source: range(stable[source], end)
            for source, end in ends.items()
            if stable[source] < end
        }

    async def settle(self) -> None:
        """Wait for the markers of the last transaction; LogError when one does not come."""
        await self._learn_ends()
        wanted = {source: self._ends[source] for source in self._awaited}
        if not wanted:
            return
        stable = await self._stable(wanted, _WAIT_S)
        late = [source for source, end in wanted.items() if stable[source] < end]
        if late:
            names = ", ".join(f"{topic}-{partition}" for topic, partition in late)
            raise LogError(f"{names}: the last transaction has no marker there: taking over again")
        self._awaited.clear()

    async def note(self) -> str:
        """Where the owner's records end, to be committed with them: see `noted_ends`."""
        await self._learn_ends()
        return orjson.dumps({topic: end for (topic, _), end in self._ends.items()}).decode()

    def watch(self, transaction: Transaction) -> Transaction:
        """The same transaction; what goes through it is awaited from now on."""
        return _Watched(transaction, self)

    def began(self, sources: Collection[TopicPartition]) -> None:
        """A transaction is about to reach these."""
        self._awaited |= dict.fromkeys(sources)

    def wrote(self, ends: Mapping[TopicPartition, Offset]) -> None:
        """Its records end there."""
        self._awaited |= ends
        self._ends |= ends

    async def _learn_ends(self) -> None:
        """What was sent and not acknowledged, or at an unknown offset, ends where the log does."""
        unknown = [source for source, end in self._awaited.items() if end is None]
        if unknown:
            self.wrote(await self._log.end_offsets(unknown, Isolation.UNCOMMITTED))

    async def _stable(
        self, wanted: Mapping[TopicPartition, Offset], wait_s: float
    ) -> Mapping[TopicPartition, Offset]:
        """The last stable offsets, once they have reached these, at the latest after the wait."""
        loop, sources = asyncio.get_running_loop(), list(wanted)
        stable = await self._log.end_offsets(sources, Isolation.COMMITTED)
        until = loop.time() + wait_s
        while any(stable[source] < end for source, end in wanted.items()) and loop.time() < until:
            await asyncio.sleep(_POLL_S)
            stable = await self._log.end_offsets(sources, Isolation.COMMITTED)
        return stable


class _Watched:
    """A Transaction that tells Markers what goes through it."""

    def __init__(self, transaction: Transaction, markers: Markers) -> None:
        self._transaction = transaction
        self._markers = markers

    async def send(
        self, appends: Mapping[TopicPartition, Sequence[Entry]]
    ) -> Mapping[TopicPartition, Offset]:
        """As `Transaction.send`."""
        self._markers.began(appends)
        firsts = await self._transaction.send(appends)
        self._markers.wrote(
            {
                source: Offset(first + len(appends[source]))
                for source, first in firsts.items()
                if first >= 0
            }
        )
        return firsts

    async def touch(self, sources: Collection[TopicPartition]) -> None:
        """As `Transaction.touch`."""
        self._markers.began(sources)
        await self._transaction.touch(sources)

    async def consume(
        self, next_offsets: Mapping[TopicPartition, Offset], *, note: str = ""
    ) -> None:
        """As `Transaction.consume`."""
        await self._transaction.consume(next_offsets, note=note)


def noted_ends(note: str) -> Mapping[str, Offset]:
    """By topic, where the records of the transactions end that committed the group's offset.

    Nothing for an offset that was set by hand.
    """
    return orjson.loads(note) if note else {}
