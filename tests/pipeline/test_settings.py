"""Every setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from docreactor.pipeline.settings import Settings

NUMBERS = {
    name: field for name, field in Settings.model_fields.items() if field.annotation in (int, float)
}
UNITS = {"ms": "ms", "days": "days", "bytes": "bytes", "s": "s"}
COUNTED = re.compile(
    r"\b(ms|s|days|bytes|count|records|copies|partitions|operations|port|percent)\b"
)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_default_and_says_what_it_is(name: str) -> None:
    field = Settings.model_fields[name]

    assert not field.is_required()
    assert field.description
    assert len(field.description) > 5


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_names_its_unit_and_the_name_agrees(name: str) -> None:
    description = NUMBERS[name].description or ""

    assert COUNTED.search(description), f"{name}: what is it counted in?"
    for part in name.split("_"):
        if part in UNITS:
            assert re.search(rf"\b{UNITS[part]}\b", description), f"{name}: {description}"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DOCREACTOR_APP", "shop", "shop"),
        ("DOCREACTOR_PARTITIONS", "3", 3),
        ("DOCREACTOR_DATA", "/data", Path("/data")),
        ("DOCREACTOR_CHECK_PURITY", "true", True),
    ],
)
def test_the_environment_sets_what_is_named_after_it(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    monkeypatch.setenv(name, text)

    settings = Settings()

    assert getattr(settings, name.removeprefix("DOCREACTOR_").lower()) == value


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCREACTOR_APP", "shop")

    assert Settings(app="other").app == "other"


def test_settings_are_read_once_and_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().app = "other"
    with pytest.raises(ValidationError, match="colour"):
        Settings.model_validate({"colour": "red"})
    with pytest.raises(ValidationError, match="partitions"):
        Settings(partitions=0)


def test_a_secret_is_not_shown() -> None:
    assert "hunter2" not in repr(Settings.model_validate({"http_token": "hunter2"}))
