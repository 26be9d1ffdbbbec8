"""Options over the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.gateway.cli.choices import chosen
from docreactor.pipeline.errors import InvalidSettingError


def test_an_option_wins_over_the_environment_and_its_absence_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCREACTOR_APP", "theirs")
    monkeypatch.setenv("DOCREACTOR_PORT", "1234")

    settings = chosen(app="ours", port=None, data=Path("here"))

    assert (settings.app, settings.port, settings.data) == ("ours", 1234, Path("here"))


@pytest.mark.parametrize("app", ["a b", "../up", ".", "", "x" * 200])
def test_a_name_that_topics_and_directories_cannot_have_is_refused(app: str) -> None:
    with pytest.raises(InvalidSettingError, match="^app: .*docreactor settings"):
        chosen(app=app)


def test_a_setting_of_the_environment_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCREACTOR_SESSION_TIMEOUT_MS", "soon")

    with pytest.raises(InvalidSettingError, match="^session_timeout_ms: "):
        chosen()
