"""The development broker's commands by themselves: python -m docreactor.gateway.broker."""

from __future__ import annotations

import sys

from rich.console import Console

from docreactor.gateway.cli.broker import app
from docreactor.pipeline.errors import ReactorError


def main() -> int:
    """Run one command; an error is a sentence on standard error and exit code 1."""
    try:
        app(standalone_mode=True)
    except ReactorError as error:
        Console(stderr=True).print(f"[red]{error.name()}[/]: {error.message}", soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
