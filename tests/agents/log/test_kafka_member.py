"""A member whose name another process takes ends, and only then."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.agents.log.kafka import open_kafka
from docreactor.agents.log.kafka_member import StaticName
from docreactor.pipeline.errors import LogError, MemberIdTakenError
from docreactor.pipeline.settings import Settings
from tests.agents.log.contract import create
from tests.agents.log.following import DEADLINE_S, drive, following
from tests.support.kafka import Kafka


class Group:
    """Tells who has the name."""

    def __init__(self) -> None:
        self.holder: str | None = "ours"

    async def ask(self) -> str | None:
        if self.holder == "unreachable":
            raise LogError("describing the group failed")
        return self.holder


async def test_a_name_that_was_taken_twice_within_a_minute_is_given_up() -> None:
    group = Group()
    name = StaticName("one", group.ask)
    await name.joined()
    group.holder = "theirs"
    await name.check()
    group.holder = "ours again"
    await name.joined()
    group.holder = "theirs again"

    with pytest.raises(MemberIdTakenError, match="DOCREACTOR_MEMBER_ID"):
        await name.check()


@pytest.mark.parametrize("holder", ["ours", None, "unreachable"])
async def test_a_rebalance_a_lost_session_and_a_silent_broker_take_no_name(
    holder: str | None,
) -> None:
    group = Group()
    name = StaticName("one", group.ask)
    await name.joined()
    group.holder = holder
    for _ in range(5):
        await name.check()


async def test_of_two_processes_with_one_member_id_one_ends(kafka: Kafka, app: str) -> None:
    settings = Settings(app=app, member_id="one", session_timeout_ms=2_000)
    async with (
        open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log,
        open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as other,
    ):
        topic = (await create(log, f"{app}.a", 2)).topic
        async with following(log, [topic]) as first:
            await drive([first], lambda: len(first.sources) == 2)
            async with following(other, [topic]) as second:
                with pytest.raises(MemberIdTakenError):
                    await drive([first, second], lambda: False)


async def test_a_member_that_comes_back_under_its_name_is_served_at_once(
    kafka: Kafka, app: str
) -> None:
    settings = Settings(app=app, member_id="one", session_timeout_ms=30_000)
    async with open_kafka(settings, kafka.bootstrap_servers, wait_s=10) as log:
        topic = (await create(log, f"{app}.a", 2)).topic
        for _ in range(4):
            async with asyncio.timeout(DEADLINE_S), following(log, [topic]) as one:
                await drive([one], lambda one=one: len(one.sources) == 2)  # type: ignore[misc]
