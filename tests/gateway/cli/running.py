"""The command line against a real deployment, as its users call it."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Said:
    """What one command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one line of JSON that it printed."""
        assert self.out.count("\n") == 1, self.out
        return orjson.loads(self.out)


async def say(*arguments: str, url: str = "", stdin: str = "", **environment: str) -> Said:
    """Run one command in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if "DOCREACTOR" not in name}
    variables |= {"DOCREACTOR_URL": url} if url else {}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "docreactor.gateway.cli",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=variables | environment,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())
