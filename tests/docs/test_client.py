"""Whether docs/client.md shows what is so: its examples run, and every call is named."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docreactor import Reactor, SyncReactor
from docreactor.gateway.session import Session
from tests.gateway.deployment import several_nodes

TEXT = (Path(__file__).parent.parent.parent / "docs" / "client.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
URL = "http://127.0.0.1:8080"


def functions_of(names: dict[str, Any]) -> list[Callable[..., Any]]:
    """What an example defines and does not call itself."""
    return [one for name, one in names.items() if inspect.isfunction(one) and name != "main"]


def run(example: str, url: str) -> None:
    """Run an example as its readers would, against the deployment at the URL."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example.replace(URL, url), "docs/client.md", "exec"), names)  # noqa: S102  ours
    for function in functions_of(names):
        if not inspect.signature(function).parameters:
            function()
        elif inspect.iscoroutinefunction(function):
            asyncio.run(asked(function, url))
        else:
            with SyncReactor(url) as reactor:
                function(reactor)


async def asked(function: Callable[..., Any], url: str) -> None:
    async with Reactor(url) as reactor:
        await function(reactor)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_its_examples_run_as_they_are(example: str) -> None:
    async with several_nodes(1, partitions=2) as (only,):
        await asyncio.to_thread(run, example, only.node.url)


@pytest.mark.parametrize("kind", [Reactor, Session])
def test_it_names_every_call(kind: type) -> None:
    calls = {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if name[0] != "_"}
    missing = [name for name in sorted(calls) if f"`{name}" not in TEXT and f".{name}(" not in TEXT]

    assert not missing, f"docs/client.md: say what these are for: {missing}"
