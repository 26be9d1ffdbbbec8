"""The lane of one generation of one read model."""

from __future__ import annotations

from collections.abc import Callable

from docreactor.agents.deployment import Deployment
from docreactor.agents.feed import Feed
from docreactor.agents.inbox import Inbox, Room
from docreactor.agents.kept import Kept
from docreactor.agents.model_row import BUILT_IN
from docreactor.agents.pause import Pause
from docreactor.agents.table_lane import TableLane, Tempo
from docreactor.pipeline.position import Offset
from docreactor.tables.wait import Reached


def lane_of(
    kept: Kept,
    deployment: Deployment,
    feed: Feed,
    *,
    start: Offset,
    stored: Reached,
    serves: Callable[[Kept], bool],
    pause: Callable[[Inbox, Kept], Pause],
) -> TableLane:
    """What feeds it: the platform's own hold their partition back, those that serve go first."""
    settings = deployment.settings
    batch = Room(2 * settings.batch_jobs_max, 2 * settings.batch_bytes_max)
    return TableLane(
        deployment.log,
        feed,
        kept.projection,
        Room(2 * batch.records, 2 * batch.bytes),
        start=start,
        stored=stored,
        reached=kept.reached,
        tempo=Tempo(
            batch, deployment.gentle, lambda: not serves(kept), holds=kept.name in BUILT_IN
        ),
        watch=kept,
        pause=lambda inbox: pause(inbox, kept),
    )
