"""The development broker's commands by themselves: python -m docreactor.gateway.broker."""

from __future__ import annotations

import sys

from rich.console import Console

from docreactor.gateway.cli.broker import app
from docreactor.pipeline.errors import ReactorError


def main() -> None:
    """Run one command; an error is a sentence on standard error and exit code 1."""
    try:
        app(prog_name="docreactor broker")
    except ReactorError as error:
        said = f"{error.name()}: {error.message}"
        Console(stderr=True).print(said, style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
