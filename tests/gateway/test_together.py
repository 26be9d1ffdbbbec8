"""Several answers at once."""

from __future__ import annotations

import asyncio

import pytest

from docreactor.gateway.together import together
from docreactor.pipeline.errors import DocumentNotFoundError


async def answer(value: int, after: asyncio.Event | None = None) -> int:
    if after is not None:
        await after.wait()
    return value


async def test_answers_come_in_the_order_of_the_questions() -> None:
    late = asyncio.Event()

    async def ring() -> int:
        late.set()
        return 2

    assert await together([answer(1, late), ring(), answer(3)]) == [1, 2, 3]
    assert await together([answer(1)]) == [1]


async def test_one_error_is_raised_alone_and_ends_the_others() -> None:
    ended = asyncio.Event()

    async def forever() -> int:
        try:
            return await answer(1, asyncio.Event())
        finally:
            ended.set()

    async def refused() -> int:
        await asyncio.sleep(0)
        raise DocumentNotFoundError("a")

    with pytest.raises(DocumentNotFoundError):
        await together([forever(), refused()])
    assert ended.is_set()


async def test_an_error_that_is_none_of_ours_is_not_hidden() -> None:
    async def broken() -> int:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await together([broken(), answer(1)])
