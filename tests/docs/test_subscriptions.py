"""Whether docs/subscriptions.md shows what is so: its examples run, and its settings are there."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import get_args

import pytest

from docreactor.gateway.events.notice import EventName
from docreactor.gateway.routes.events import EventsQuery
from docreactor.pipeline.settings import Settings
from tests.docs.test_client import run
from tests.gateway.deployment import several_nodes

TEXT = (Path(__file__).parent.parent.parent / "docs" / "subscriptions.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_its_examples_run_as_they_are(example: str) -> None:
    async with several_nodes(1, partitions=2) as (only,):
        await asyncio.to_thread(run, example, only.node.url)


def test_it_names_every_event_and_every_filter() -> None:
    for name in (*get_args(EventName), *EventsQuery.model_fields):
        assert f"`{name}`" in TEXT, name


def test_its_settings_are_there_with_their_defaults() -> None:
    named = re.findall(r"(\d[\d,]*)[a-z\s]*\(`DOCREACTOR_(\w+)`\)", TEXT)

    told = {name.lower(): int(figure.replace(",", "")) for figure, name in named}
    assert told == {
        "event_heartbeat_ms": Settings.model_fields["event_heartbeat_ms"].default // 1_000,
        "event_queue_max": Settings.model_fields["event_queue_max"].default,
    }
