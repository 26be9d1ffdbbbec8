"""The models that installed packages bring, and what failed among them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docreactor.pipeline.errors import InvalidModelError, ModelNotLoadedError, ReactorError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.packages import (
    LOOK_EVERY_S,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    Packages,
    check_models,
)
from tests.support.package import install

MODEL = """
from docreactor import DocumentModel
first = DocumentModel("t/first", state=dict)
second = DocumentModel("t/second", state=dict)
both = [first, second]
number = 5
"""
READ_MODEL = """
from docreactor import ReadModel
class Words(ReadModel):
    name = "words"
    def apply(self, batch, writer):
        pass
"""
BROKEN = "raise RuntimeError('not today')"
COUNTED = "import sys\nsys.tried.append(1)\nraise RuntimeError('not today')"

Install = Callable[..., None]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs packages into a folder of the path; what was imported of them is forgotten after."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield lambda name, source, **given: install(tmp_path, name, source, **given)
    for name in set(sys.modules) - before:
        del sys.modules[name]


class Time:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def _types(packages: Packages) -> set[str]:
    found = [model for models in packages.found.values() for model in models]
    return {one.document_type if isinstance(one, DocumentModel) else one.name for one in found}


def _failure(packages: Packages) -> ReactorError:
    (error,) = packages.failures.values()
    return error


@pytest.mark.parametrize(
    ("value", "types"),
    [
        ("brought", {"t/first", "t/second"}),
        ("brought:both", {"t/first", "t/second"}),
        ("brought:first", {"t/first"}),
    ],
)
def test_an_entry_point_names_a_module_a_sequence_or_a_model(
    installed: Install, value: str, types: set[str]
) -> None:
    installed("brought", MODEL, value=value)
    packages = Packages(Time())

    packages.look()

    assert _types(packages) == types
    assert packages.failures == {}


def test_an_entry_point_may_bring_read_models(installed: Install) -> None:
    installed("kept", READ_MODEL)
    packages = Packages(Time())

    packages.look()

    assert _types(packages) == {"words"}


@pytest.mark.parametrize(
    ("name", "source", "value", "reason"),
    [
        ("broken", BROKEN, "broken", r"RuntimeError: not today \(.*broken.py, line 1\)"),
        ("number", MODEL, "number:number", "number:number is neither a DocumentModel nor"),
        ("lost", MODEL, "nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("leaves", "raise SystemExit(3)", "leaves", "SystemExit: 3"),
        ("taken", READ_MODEL.replace('"words"', '"graph"'), "taken", "the platform has one"),
        (
            "gap",
            f"{MODEL}\nfirst.upgrade(to=3)(lambda state: state)",
            "gap",
            "t/first has version 3 but nothing of version 2",
        ),
    ],
)
def test_one_that_fails_is_remembered_and_keeps_nobody_from_the_others(
    installed: Install, name: str, source: str, value: str, reason: str
) -> None:
    installed(name, source, value=value)
    installed("works", MODEL)
    packages = Packages(Time())

    packages.look()

    assert _types(packages) == {"t/first", "t/second"}
    assert packages.failures.keys() == {f"{name} = {value} of an installed package"}
    with pytest.raises(ReactorError, match=reason):
        raise _failure(packages)


def test_what_failed_is_tried_again_ever_less_often(
    installed: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    monkeypatch.setattr(sys, "tried", tried, raising=False)
    installed("counted", COUNTED)
    time = Time()
    packages = Packages(time)
    packages.look()

    waits = []
    for count in range(1, 9):
        assert len(tried) == count
        began_s = time.now_s
        while len(tried) == count:
            time.now_s += LOOK_EVERY_S
            packages.look()
        waits.append(time.now_s - began_s)

    assert waits == [min(RETRY_MAX_S, RETRY_FIRST_S * 2**at) for at in range(8)]


def test_what_was_mended_comes_at_the_next_try(installed: Install) -> None:
    time = Time()
    packages = Packages(time)
    installed("mended", BROKEN)
    packages.look()
    assert isinstance(_failure(packages), ModelNotLoadedError)

    installed("mended", MODEL)
    time.now_s += RETRY_FIRST_S
    packages.look()

    assert _types(packages) == {"t/first", "t/second"}
    assert packages.failures == {}


def test_what_was_installed_meanwhile_comes_but_not_at_once(installed: Install) -> None:
    time = Time()
    packages = Packages(time)
    packages.look()

    installed("meanwhile", MODEL)
    packages.look()
    assert _types(packages) == set()
    time.now_s += LOOK_EVERY_S
    packages.look()

    assert _types(packages) == {"t/first", "t/second"}


def test_what_failed_and_was_removed_is_forgotten(installed: Install, tmp_path: Path) -> None:
    time = Time()
    packages = Packages(time)
    installed("gone", BROKEN)
    packages.look()

    (tmp_path / "gone-1.dist-info" / "entry_points.txt").unlink()
    time.now_s += LOOK_EVERY_S
    packages.look()

    assert packages.failures == {}


def test_a_model_that_cannot_work_is_refused_before_anything_starts() -> None:
    gap = DocumentModel("t/gap", state=dict)
    gap.upgrade(to=3)(lambda state: state)

    with pytest.raises(InvalidModelError, match="nothing of version 2"):
        check_models([gap])
