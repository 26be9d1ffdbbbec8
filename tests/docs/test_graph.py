"""Whether docs/graph.md shows what is so: its examples run, its calls and commands are there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from docreactor import Reactor
from docreactor.examples.todo import todo
from docreactor.gateway.app import create_app
from docreactor.gateway.cli import app
from docreactor.pipeline.settings import Settings
from docreactor.testing import reactor
from tests.gateway.deployment import one_node

TEXT = (Path(__file__).parent.parent.parent / "docs" / "graph.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = set(re.findall(r"`(?:docreactor )?(graph [a-z]+|delete|relate|unrelate)\b", TEXT))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_its_examples_run_as_they_are(example: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(example, "docs/graph.md", "exec"), names)  # noqa: S102  ours
    (shown,) = [one for name, one in names.items() if name[0] != "_"]
    run: Callable[[Reactor], Awaitable[None]] = shown
    async with reactor(todo) as calls:
        await run(calls)


async def test_it_names_every_call_of_the_graph() -> None:
    async with one_node(partitions=1) as one:
        described = create_app(one.node).openapi()["paths"]
    offered = {path.replace("{document_id}", "{id}") for path in described}
    named = set(re.findall(r"`GET (/v1/[a-z_/{}]+)", TEXT))

    assert {path for path in offered if path.startswith("/v1/graph/")} < named
    assert named <= offered


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_that_it_names_is_there(command: str) -> None:
    answered = CliRunner().invoke(app, [*command.split(), "--help"])

    assert answered.exit_code == 0
    assert len(COMMANDS) == 11


def test_it_names_settings_that_there_are() -> None:
    named = re.findall(r"DOCREACTOR_([A-Z_]+)", TEXT)

    assert {one.lower() for one in named} == {"graph_documents_max", "cascade_count_max"}
    assert {one.lower() for one in named} <= set(Settings.model_fields)
    assert Settings.model_fields["cascade_count_max"].default == 10_000
