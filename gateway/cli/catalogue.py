"""Which commands there are, each imported when it is asked for: few need all that is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import typer

from docreactor.gateway.cli.additions import Additions

_RUN = "Run"
_CHANGE = "Change documents"
_SHOW = "Show documents"
_LOOK = "Look at a deployment"
_TEND = "Look after it"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is written, a function or a typer app, and under what it is listed."""

    panel: str
    module: str
    attribute: str


COMMANDS: Mapping[str, Place] = {
    "up": Place(_RUN, "up", "up"),
    "worker": Place(_RUN, "worker", "worker"),
    "demo": Place(_RUN, "demo", "demo"),
    "create": Place(_CHANGE, "writing", "create"),
    "submit": Place(_CHANGE, "writing", "submit"),
    "undo": Place(_CHANGE, "amending", "undo"),
    "redo": Place(_CHANGE, "amending", "redo"),
    "rename": Place(_CHANGE, "amending", "rename"),
    "upgrade": Place(_CHANGE, "amending", "upgrade"),
    "relate": Place(_CHANGE, "relating", "relate"),
    "unrelate": Place(_CHANGE, "relating", "unrelate"),
    "add-children": Place(_CHANGE, "relating", "add_children"),
    "remove-children": Place(_CHANGE, "relating", "remove_children"),
    "load": Place(_CHANGE, "loading", "load"),
    "batch": Place(_CHANGE, "jobs", "batch"),
    "delete": Place(_CHANGE, "writing", "delete"),
    "erase": Place(_CHANGE, "integrity", "erase"),
    "import": Place(_CHANGE, "backup", "app"),
    "get": Place(_SHOW, "reading", "get"),
    "find": Place(_SHOW, "reading", "find"),
    "exists": Place(_SHOW, "naming", "exists"),
    "slugs": Place(_SHOW, "naming", "slugs"),
    "branches": Place(_SHOW, "naming", "branches"),
    "history": Place(_SHOW, "reading", "history"),
    "graph": Place(_SHOW, "graph", "app"),
    "rows": Place(_SHOW, "rows", "rows"),
    "events": Place(_LOOK, "events", "events"),
    "job": Place(_LOOK, "deployment", "job"),
    "status": Place(_LOOK, "deployment", "status"),
    "wait": Place(_LOOK, "deployment", "wait"),
    "models": Place(_LOOK, "models", "app"),
    "read-models": Place(_LOOK, "rows", "read_models"),
    "settings": Place(_LOOK, "deployment", "settings"),
    "broker": Place(_TEND, "broker", "app"),
    "jobs": Place(_TEND, "jobs", "app"),
    "topics": Place(_TEND, "topics", "app"),
    "offsets": Place(_TEND, "offsets", "app"),
    "rebuild": Place(_TEND, "rebuilding", "app"),
    "replay": Place(_TEND, "replaying", "replay"),
    "quarantine": Place(_TEND, "quarantine", "app"),
    "verify": Place(_TEND, "integrity", "verify"),
    "export": Place(_TEND, "backup", "export"),
}


class Commands(Additions):
    """The group of all commands: those of the catalogue, then those of installed packages."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the catalogue."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name."""
        if cmd_name in COMMANDS:
            return _command(cmd_name)
        return super().get_command(ctx, cmd_name)


@cache
def _command(name: str) -> Any:
    place = COMMANDS[name]
    written = getattr(import_module(f"docreactor.gateway.cli.{place.module}"), place.attribute)
    command: Any
    if isinstance(written, typer.Typer):
        command = typer.main.get_group(written)
    else:
        alone = typer.Typer(add_completion=False, rich_markup_mode="markdown")
        alone.command(name)(written)
        command = typer.main.get_command(alone)
    command.name, command.rich_help_panel = name, place.panel
    return command
