"""One owner writes a partition of relationships, and is told only of what nothing can undo."""

from __future__ import annotations

import pytest

from docreactor.agents.log import Entry, TopicPartition
from docreactor.agents.publication import Publication
from docreactor.pipeline.errors import FencedError, LogError
from tests.support.nodes import Site, site
from tests.support.steps import Death, Killed

ID = "test-relationships-0"


def _entries(*keys: str) -> list[Entry]:
    return [Entry(key.encode(), b"{}") for key in keys]


def _source(place: Site) -> TopicPartition:
    return TopicPartition(place.topics.relationships, 0)


def _keys(place: Site) -> list[str]:
    return [record.key.decode() for record in place.records(place.topics.relationships)]


async def _open(place: Site) -> Publication:
    return await Publication.open(place.log(), _source(place), ID)


async def test_what_is_published_stands_below_the_offset_that_is_told() -> None:
    place = site()
    publication = await _open(place)
    assert await publication.publish(_entries("a", "b")) == 2
    assert await publication.publish(_entries("c")) == 4
    assert _keys(place) == ["a", "b", "c"]
    await publication.close()
    await publication.close()


async def test_the_owner_before_is_fenced_when_another_opens() -> None:
    place = site()
    old, new = await _open(place), await _open(place)
    with pytest.raises(FencedError):
        await old.publish(_entries("a"))
    await new.publish(_entries("b"))
    assert _keys(place) == ["b"]


async def test_what_the_owner_before_has_open_is_aborted() -> None:
    place = site()
    death = Death("commit", 1)
    publication = await Publication.open(place.log(death), _source(place), ID)
    with pytest.raises(Killed):
        await publication.publish(_entries("lost"))
    new = await _open(place)
    await new.publish(_entries("kept"))
    assert _keys(place) == ["kept"]


async def test_nobody_is_told_of_what_lost_its_marker_and_the_next_owner_aborts_it() -> None:
    place = site()
    publication = await _open(place)
    place.cluster.leaderless.add(_source(place))
    with pytest.raises(LogError, match="no marker"):
        await publication.publish(_entries("lost"))
    place.cluster.leaderless.clear()
    new = await _open(place)
    await new.publish(_entries("kept"))
    assert _keys(place) == ["kept"]


async def test_an_owner_that_cannot_mend_is_none() -> None:
    place = site()
    publication = await _open(place)
    place.cluster.leaderless.add(_source(place))
    with pytest.raises(LogError):
        await publication.publish(_entries("lost"))
    with pytest.raises(LogError):
        await _open(place)
