"""Which models are here, by document type."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from docreactor.examples.text import text
from docreactor.examples.todo import todo
from docreactor.pipeline.errors import InvalidModelError, ModelNotLoadedError, UnknownModelError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.packages import LOOK_EVERY_S, RETRY_FIRST_S, Packages
from docreactor.pipeline.read_model import Change, ReadModel, Writer
from docreactor.pipeline.registry import Registry, load
from tests.pipeline.conftest import Write
from tests.support.package import install

MODEL = """
from docreactor import DocumentModel
model = DocumentModel("t/brought", state=dict)
"""
READ_MODEL = """
from docreactor import ReadModel
class Words(ReadModel):
    name = "words"
    def apply(self, batch, writer):
        pass
"""
BROKEN = "raise RuntimeError('not today')"


class Counts(ReadModel):
    name = "counts"

    def apply(self, batch: Sequence[Change], writer: Writer) -> None:
        """Keep nothing."""


class Time:
    """A clock that stands still until it is set."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def installed(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], None]:
    """Installs a package of one module, or a newer release of it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return lambda name, source: install(tmp_path, name, source)


def test_a_registry_knows_its_models_by_document_type() -> None:
    registry = Registry([todo, text])

    assert registry.model("example/todo") is todo
    assert dict(registry.models) == {"example/todo": todo, "example/text": text}
    with pytest.raises(UnknownModelError, match="no model example/other is loaded"):
        registry.model("example/other")


def test_two_models_of_one_type_are_refused_naming_both() -> None:
    other = DocumentModel("example/todo", state=dict)

    with pytest.raises(InvalidModelError) as refused:
        Registry([todo, other])

    assert todo.defined_at in str(refused.value)
    assert other.defined_at in str(refused.value)


def test_the_same_model_may_come_twice() -> None:
    specs = ["docreactor.examples.todo", "docreactor.examples.todo:todo"]

    assert load(specs).models.keys() == {"example/todo"}


def test_read_models_are_known_by_name_and_stand_beside_models_of_documents() -> None:
    counts = Counts()
    registry = Registry([todo, counts, counts])

    assert dict(registry.read_models) == {"counts": counts}
    assert dict(registry.models) == {"example/todo": todo}


def test_two_read_models_of_one_name_are_refused_naming_both() -> None:
    with pytest.raises(InvalidModelError, match=r"two read models counts: one from .*:Counts, one"):
        Registry([Counts(), Counts()])


def test_a_read_model_that_cannot_work_is_refused_before_anything_starts() -> None:
    counts = Counts()
    counts.name = "documents"

    with pytest.raises(InvalidModelError, match="the platform has one, take another"):
        Registry([counts])


def test_a_class_of_a_read_model_may_be_named_twice(write: Write) -> None:
    write("kept.py", READ_MODEL)

    assert load(["kept", "kept:Words"]).read_models.keys() == {"words"}


def test_a_model_with_a_gap_in_its_versions_is_refused_before_anything_starts() -> None:
    model = DocumentModel("t/gap", state=dict)
    model.upgrade(to=3)(lambda state: state)

    with pytest.raises(InvalidModelError, match="nothing of version 2"):
        Registry([model])


def test_what_is_named_must_load_and_what_packages_bring_need_not(
    installed: Callable[[str, str], None],
) -> None:
    installed("broken", BROKEN)
    installed("brought", MODEL)

    registry = load(["docreactor.examples.todo"])

    assert registry.models.keys() == {"example/todo", "t/brought"}
    (failure,) = registry.failures.values()
    assert isinstance(failure, ModelNotLoadedError)
    assert "not today" in str(failure)
    with pytest.raises(ModelNotLoadedError, match="not today"):
        load(["broken"])


def test_a_package_with_another_model_of_a_known_type_is_told_of_and_changes_nothing(
    installed: Callable[[str, str], None],
) -> None:
    installed("first", MODEL)
    installed(
        "second", MODEL.replace("t/brought", "t/second") + MODEL.replace("model =", "other =")
    )
    installed("third", MODEL.replace("t/brought", "example/todo"))

    registry = Registry([todo], Packages(Time()))

    assert registry.models.keys() == {"example/todo", "t/brought", "t/second"}
    assert registry.model("example/todo") is todo
    assert registry.model("t/brought") is sys.modules["first"].model
    second, third = (registry.failures[spec] for spec in sorted(registry.failures))
    assert "two models of t/brought: one from first:3, one from second:6" in str(second)
    assert f"two models of example/todo: one from {todo.defined_at}, one from" in str(third)


def test_a_refresh_brings_what_was_installed_or_mended_meanwhile(
    installed: Callable[[str, str], None],
) -> None:
    installed("late", BROKEN)
    time = Time()
    registry = Registry([todo], Packages(time))
    seen = registry.models
    assert not registry.refresh()

    installed("late", MODEL)
    time.now_s += RETRY_FIRST_S
    assert registry.refresh()

    assert registry.model("t/brought").document_type == "t/brought"
    assert registry.failures == {}
    assert seen.keys() == {"example/todo"}
    time.now_s += LOOK_EVERY_S
    assert not registry.refresh()


def test_a_refresh_brings_read_models_too(installed: Callable[[str, str], None]) -> None:
    time = Time()
    registry = Registry([todo], Packages(time))

    installed("kept", READ_MODEL)
    time.now_s += LOOK_EVERY_S
    assert registry.refresh()

    assert registry.read_models.keys() == {"words"}
    time.now_s += LOOK_EVERY_S
    assert not registry.refresh()


def test_a_registry_without_packages_has_nothing_to_refresh(
    installed: Callable[[str, str], None],
) -> None:
    installed("brought", MODEL)
    registry = Registry([todo])

    assert not registry.refresh()
    assert registry.models.keys() == {"example/todo"}


def test_refreshes_at_one_time_are_one(
    installed: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, imports = threading.Event(), threading.Event(), list[int]()

    def meet() -> None:
        imports.append(1)
        began.set()
        assert go_on.wait(10.0)

    monkeypatch.setattr(sys, "meet", meet, raising=False)
    time = Time()
    registry = Registry([], Packages(time))
    time.now_s += LOOK_EVERY_S
    installed("shared", f"import sys\nsys.meet()\n{MODEL}")

    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(registry.refresh)
        assert began.wait(10.0)
        others = [threads.submit(registry.refresh) for _ in range(3)]
        go_on.set()

        assert first.result(10.0)
        assert registry.models.keys() == {"t/brought"}
        for other in others:
            other.result(10.0)
    assert imports == [1]
