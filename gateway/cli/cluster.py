"""One question to the Kafka of a deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from docreactor.agents.journal import keep_journal
from docreactor.agents.log import Log
from docreactor.agents.log.kafka import open_kafka
from docreactor.gateway.broker.status import broker_status
from docreactor.pipeline.errors import BrokerUnreachableError
from docreactor.pipeline.settings import Settings

_WAIT_S = 15.0
_NONE_RUNS = "the development broker (it does not run)"

_Answer = TypeVar("_Answer")


def asked(settings: Settings, question: Callable[[Log, Settings], Awaitable[_Answer]]) -> _Answer:
    """The answer of the named Kafka, or of the development broker that runs.

    BrokerUnreachable without one: a question starts no broker.
    """
    keep_journal()
    bootstrap_servers = broker_status(Settings()).bootstrap_servers
    if bootstrap_servers is None:
        raise BrokerUnreachableError(_NONE_RUNS, waited_s=0)

    async def ask() -> _Answer:
        async with open_kafka(settings, bootstrap_servers, wait_s=_WAIT_S) as log:
            return await question(log, settings)

    return asyncio.run(ask())
