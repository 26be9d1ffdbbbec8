"""Whether docs/rebuilding.md shows what is so: its commands print that, its calls are there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from docreactor import Reactor
from docreactor.examples.todo import todo
from docreactor.gateway.app import create_app
from docreactor.pipeline import errors
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from tests.gateway.cli.running import say
from tests.gateway.deployment import one_node, several_nodes
from tests.support.nodes import until

TEXT = (Path(__file__).parent.parent.parent / "docs" / "rebuilding.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
ELLIPSIS = "…"


class Lengths(ReadModel):
    """How long each list is; it can be told to fail."""

    name = "lengths"
    document_types = ("example/todo",)
    scopes = ("global",)
    is_broken = False

    async def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        for change in batch:
            if self.is_broken:
                raise ValueError("no list")
            writer.put(f"list/{change.document_id}", len((await change.state())["items"]))


class Shown(NamedTuple):
    """A command, and what the page says that it prints."""

    command: list[str]
    printed: list[list[str]]


def shown_in(block: str) -> list[Shown]:
    found: list[Shown] = []
    for line in block.splitlines():
        if line.startswith("$ docreactor "):
            found.append(Shown(line.removeprefix("$ docreactor ").split(), []))
        else:
            found[-1].printed.append(line.split())
    return found


def matches(wanted: list[str], printed: list[str]) -> bool:
    """Whether a line is as the page has it, which may end in an ellipsis."""
    if wanted[-1] == ELLIPSIS:
        return printed[: len(wanted) - 1] == wanted[:-1]
    return printed == wanted


async def printed_by(command: list[str], url: str) -> list[list[str]]:
    said = await say(*command, url=url)
    return [line.split() for line in (said.out + said.err).splitlines()]


async def test_its_commands_print_what_it_shows() -> None:
    lengths = Lengths()
    async with several_nodes(1, models=[todo, lengths], partitions=2) as (only,):
        for document_id in ("shopping", "groceries"):
            await only.create(document_id)
            await only.add(document_id, "milk")
        await until(lambda: "lengths" in only.node.coordinator.required)
        await until(lambda: all(row["lag"] == 0 for row in only.node.positions()))
        for block in BLOCKS:
            if "quarantine" in block:
                lengths.is_broken = True
                job = await only.add("groceries", "bread", wait="write")
                await only.reactor.wait_for(job["token"], model="lengths")
            for shown in shown_in(block):
                if shown.command[0] == "rebuild" and "--finish" in shown.command:
                    await until(lambda: only.node.coordinator.common("documents") == 0)
                if "retry" in shown.command:
                    lengths.is_broken = False
                printed = await printed_by(shown.command, only.node.url)
                assert len(printed) == len(shown.printed), (shown.command, printed)
                for wanted, line in zip(shown.printed, printed, strict=True):
                    assert matches(wanted, line), (shown.command, printed)


async def test_it_names_every_call_about_read_models() -> None:
    async with one_node(partitions=1) as one:
        described = create_app(one.node).openapi()["paths"]
    offered = {
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method in methods
        if path.startswith(("/v1/read-models/{name}/", "/v1/quarantine")) and "rows" not in path
    }
    assert set(re.findall(r"^\| `([A-Z]+ [^`]+)`", TEXT, re.MULTILINE)) == offered


def test_it_names_calls_of_the_client_and_errors_that_there_are() -> None:
    calls = re.findall(r"^\|[^|]+\| `(\w+)\(", TEXT, re.MULTILINE)
    assert len(calls) == 9
    assert all(callable(getattr(Reactor, name)) for name in calls)
    named = set(re.findall(r"`([A-Z]\w+)`", TEXT)) | {"NothingToRollBack"}
    assert len(named) == 7
    assert all(hasattr(errors, f"{name}Error") for name in named)
