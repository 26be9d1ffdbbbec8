"""The options that `up` and `worker` share, and the settings that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from docreactor.pipeline.errors import InvalidSettingError
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.state import first_complaint

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--models",
        metavar="MODULE[:ATTR] or FILE.py[:ATTR]",
        help="Models to run; repeat it for several. Installed packages bring theirs by themselves.",
    ),
]
App = Annotated[
    str | None, typer.Option(help="Prefix of topics and groups: the deployment's name.")
]
Data = Annotated[Path | None, typer.Option(help="Directory of the tables.")]
Host = Annotated[str | None, typer.Option(help="Address that HTTP listens on.")]
Port = Annotated[int | None, typer.Option(help="Port of HTTP; 0 takes a free one.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one line of JSON when ready, and nothing else.")
]
CheckPurity = Annotated[
    bool | None,
    typer.Option("--check-purity", help="Run every reducer twice and refuse one that differs."),
]


def chosen(**choices: Any) -> Settings:
    """The environment's settings with these over them; None leaves one as it is."""
    given = {name: choice for name, choice in choices.items() if choice is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSettingError(*first_complaint(error)) from error
