"""Waiting that notices when the partition has gone elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from docreactor.agents.live import LivePartition
from docreactor.gateway.reach import Reach
from docreactor.pipeline.errors import JobNotReadyError, NotYetVisibleError

_SLICE_S = 1.0

_Shown = TypeVar("_Shown")


async def while_serving(
    reach: Reach,
    live: LivePartition,
    wait: Callable[[float], Awaitable[_Shown]],
    *,
    timeout_s: float,
) -> _Shown:
    """What `wait` brings within the time, or its error; Restoring once the partition is lost.

    `wait` is given the seconds that it may take.
    """
    ends_at = now_s() + timeout_s
    while True:
        try:
            return await wait(max(0.0, min(ends_at - now_s(), _SLICE_S)))
        except (JobNotReadyError, NotYetVisibleError):
            reach.confirm(live)
            if now_s() >= ends_at:
                raise


def now_s() -> float:
    """The loop's own time, for deadlines."""
    return asyncio.get_running_loop().time()
