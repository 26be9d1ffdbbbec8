"""Several answers at once: all of them, or the first error."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from docreactor.agents.journal import named

_Answer = TypeVar("_Answer")


async def together(works: Sequence[Coroutine[Any, Any, _Answer]]) -> list[_Answer]:
    """The results in the order of the works. One error cancels the others and is raised alone."""
    if len(works) == 1:
        return [await works[0]]
    try:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(work) for work in works]
    except BaseExceptionGroup as group:
        error = named(group)
        if error is None:
            raise
        raise error from group
    return [task.result() for task in asked]
