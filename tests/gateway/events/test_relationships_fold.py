"""What a batch of edges means to those who subscribe to relationships."""

from __future__ import annotations

import orjson

from docreactor.agents.edge_record import erased_entry, quarantine_entry
from docreactor.agents.log import Entry, TopicPartition
from docreactor.gateway.events.batch import Batch
from docreactor.gateway.events.relationships_fold import RelationshipsFold
from docreactor.pipeline.edge import POSITION_KEY
from docreactor.pipeline.position import Offset
from tests.gateway.events.scene import edge, scene
from tests.support.nodes import LOG_ID


def folded(records: list[object]) -> Batch:
    fold = RelationshipsFold(LOG_ID)
    for record in records:
        fold.add(record)  # type: ignore[arg-type]
    assert not fold.is_full
    return fold.batch(TopicPartition("test.relationships", 0), Offset(0), Offset(len(records)))


async def test_every_change_is_told_with_the_token_that_shows_it() -> None:
    async with scene() as here:
        await here.relate(
            edge("d1", "d2"), edge("d1", "d3", "updated"), edge("d4", "d1", "removed"), upto=17
        )
        batch = folded(list(here.place.records(here.place.topics.relationships)))

    assert [one.event for one in batch.notices] == ["relationship.changed"] * 3
    assert [one.ids for one in batch.notices] == [("d1", "d2"), ("d1", "d3"), ("d4", "d1")]
    said = [orjson.loads(one.data) for one in batch.notices]
    assert [one["change"] for one in said] == ["added", "updated", "removed"]
    assert said[0] == {
        "branch": "main",
        "change": "added",
        "source_id": "d1",
        "target_id": "d2",
        "token": f"{LOG_ID}.0-17",
        "type": "child",
    }
    assert batch.wanted.token == said[0]["token"]


async def test_what_is_no_edge_is_no_event() -> None:
    async with scene() as here:
        await here.store(
            erased_entry("d1"),
            quarantine_entry("d2", {"title": "HashMismatch"}),
            Entry(POSITION_KEY, b"nonsense"),
            Entry(None, b"{}"),
            topic=here.place.topics.relationships,
        )
        batch = folded(list(here.place.records(here.place.topics.relationships)))

    assert batch.notices == []
    assert batch.wanted.next_offsets == {}
