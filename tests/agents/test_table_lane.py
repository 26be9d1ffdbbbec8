"""The lane of a running partition that shows what was written."""

from __future__ import annotations

from tests.support.nodes import done, live, operations, until
from tests.support.tally import (
    TALLY,
    add,
    creation,
    release,
    row,
    shown,
    tally_site,
    upgrade,
    waits,
)


async def test_a_view_that_lacks_a_version_shows_what_it_has_and_says_what_it_lacks() -> None:
    place = tally_site()
    old, new = place.disk("old"), place.disk("new")
    async with place.node(open_store=old) as node:
        await done(node, creation(place, "d1"))
        await done(node, add(place, "d1", 1))
    place.models = (release(2),)
    async with place.node(open_store=new) as node:
        jobs = [upgrade(place, "d1"), add(place, "d1", 2), creation(place, "d2", version=2)]
        for job in [*jobs, add(place, "d2", 5)]:
            assert (await done(node, job)).error is None

    place.models = (release(1),)
    async with place.node(open_store=old) as node:
        await waits(node, "documents", f"model {TALLY} version 2")
        assert node.ready()
        assert shown(node, "d1") == {"total": 1}
        assert row(node, "reducer")["error"] is None
        assert list(live(node).documents.quarantined()) == []
        assert live(node).viewed.next_offset < live(node).written.next_offset
    place.models = (release(2),)
    async with place.node(open_store=old) as node:
        await until(lambda: live(node).viewed.next_offset == live(node).written.next_offset)
        assert shown(node, "d1") == {"count": 1, "total": 3}
        assert shown(node, "d2") == {"count": 1, "total": 5}
        assert [one.error for one in operations(node, "d1")] == [None, None]


async def test_a_worker_that_was_put_back_to_an_earlier_release_sets_no_document_aside() -> None:
    place = tally_site()
    here, elsewhere = place.disk("here"), place.disk("elsewhere")
    place.models = (release(2),)
    for disk, jobs in (
        (here, [creation(place, "d1", version=2), add(place, "d1", 1)]),
        (elsewhere, [add(place, "d1", 2), creation(place, "d2")]),
    ):
        async with place.node(open_store=disk) as node:
            for job in jobs:
                assert (await done(node, job)).error is None

    place.models = (release(1),)
    async with place.node(open_store=here) as node:
        # The table's own row is of the version that is lacking.
        await waits(node, "documents", f"model {TALLY} version 2")
        assert list(live(node).documents.quarantined()) == []
    place.models = (release(2),)
    async with place.node(open_store=here) as node:
        await until(lambda: live(node).viewed.next_offset == live(node).written.next_offset)
        assert shown(node, "d1") == {"count": 2, "total": 3}
