"""One partition's operations as the group's member fetches them, shared out to several inboxes."""

from __future__ import annotations

import asyncio

from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.log import Fetched, Flow, TopicPartition
from docreactor.pipeline.position import Offset


class Feed:
    """Hands each fetch to every inbox that has joined; whichever is full may hold it back.

    `position` is the next offset that will be offered.
    """

    def __init__(self, source: TopicPartition, flow: Flow, position: Offset) -> None:
        self._source = source
        self._flow = flow
        self._inboxes: list[Inbox] = []
        self._joined: set[Inbox] = set()
        self._overflown: set[Inbox] = set()
        self._holding: set[_Share] = set()
        self._closing = asyncio.Event()
        self.position = position

    @property
    def source(self) -> TopicPartition:
        """The partition of `operations`."""
        return self._source

    def inbox(self, room: Room, *, holds: bool = True) -> Inbox:
        """A new one, to which nothing is offered before it joins.

        When it is full it holds the partition back, or else is offered nothing more.
        """
        share = _Share(self) if holds else _LooseShare(self)
        inbox = Inbox(self._source, share, room)
        if isinstance(share, _LooseShare):
            share.inbox = inbox
        self._inboxes.append(inbox)
        if self._closing.is_set():
            inbox.close()
        return inbox

    def join(self, inbox: Inbox) -> None:
        """Offer it whatever comes from `position` on."""
        self._joined.add(inbox)

    def part(self, inbox: Inbox) -> None:
        """Offer it nothing more, and drop what it holds. Idempotent."""
        self._joined.discard(inbox)
        self._overflown.discard(inbox)
        inbox.clear()

    def drop(self, inbox: Inbox) -> None:
        """As `part`, for good."""
        self.part(inbox)
        self._inboxes.remove(inbox)

    def offer(self, fetched: Fetched) -> None:
        """Take in what a fetch brought."""
        self.position = fetched.next_offset
        for inbox in list(self._joined):
            inbox.offer(fetched)

    def overflow(self, inbox: Inbox) -> None:
        """Offer it nothing more: what it holds is whole, and what comes is not for it."""
        self._joined.discard(inbox)
        self._overflown.add(inbox)

    def has_overflown(self, inbox: Inbox) -> bool:
        """Whether it was full and is offered nothing more, until it parts and joins again."""
        return inbox in self._overflown

    def close(self) -> None:
        """Close every inbox."""
        self._closing.set()
        for inbox in self._inboxes:
            inbox.close()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closing.is_set()

    async def closed(self) -> None:
        """Return once it is closed."""
        await self._closing.wait()

    def hold(self, share: _Share) -> None:
        """Fetch nothing while any inbox is full."""
        if not self._holding:
            self._flow.pause(self._source)
        self._holding.add(share)

    def release(self, share: _Share) -> None:
        """Fetch again when no inbox is full any more."""
        if share in self._holding:
            self._holding.discard(share)
            # What was closed is another's to fetch.
            if not self._holding and not self.is_closed:
                self._flow.resume(self._source)


class _Share:
    """What one inbox says of the flow that it shares with the others."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def pause(self, *sources: TopicPartition) -> None:
        self._feed.hold(self)

    def resume(self, *sources: TopicPartition) -> None:
        self._feed.release(self)


class _LooseShare:
    """The same for one that holds nothing back."""

    inbox: Inbox

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def pause(self, *sources: TopicPartition) -> None:
        self._feed.overflow(self.inbox)

    def resume(self, *sources: TopicPartition) -> None:
        """Nothing was held back."""
