"""Commands that packages above this one bring: the measurements, for one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperGroup

GROUP = "docreactor.commands"
"""The entry-point group; what it names is a typer app."""


class Additions(TyperGroup):
    """A group that also has the installed commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The group's own, then the installed ones by name."""
        return [*super().list_commands(ctx), *sorted(_installed())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, its own or an installed one."""
        entry = _installed().get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else _command(entry)


def add_installed(app: typer.Typer) -> None:
    """Let the app's commands include those that installed packages name in the group."""
    app.info.cls = Additions


@cache
def _installed() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@cache
def _command(entry: EntryPoint) -> Any:
    command = typer.main.get_command(entry.load())
    command.name = entry.name
    return command
