"""What a process on a log in memory does step by step: told, held, or ended at one of them."""

from __future__ import annotations

import asyncio


class Killed(BaseException):
    """The process ends here; nothing of ours may catch it."""


class Steps:
    """A hook that remembers every step."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def __call__(self, step: str) -> None:
        self.taken.append(step)


class Gate(Steps):
    """A hook that, once shut, holds whoever comes to one step until it is opened."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step
        self.reached = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        if step == self.step and not self._open.is_set():
            self.reached.set()
            await self._open.wait()


class Death(Steps):
    """A hook that ends the process at a step's n-th time, and lets it write nothing afterwards."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__()
        self._step = step
        self._left = number
        self.happened = False

    async def __call__(self, step: str) -> None:
        await super().__call__(step)
        self._left -= step == self._step
        self.happened = self.happened or self._left == 0
        if self.happened:
            raise Killed(step)
