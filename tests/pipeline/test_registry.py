"""Which models are here, and how they are found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from docreactor.examples.text import text
from docreactor.examples.todo import todo
from docreactor.pipeline.errors import InvalidModelError, ModelNotLoadedError, UnknownModelError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.registry import Registry, load

Write = Callable[[str, str], Path]

MODEL = """
from docreactor import DocumentModel
first = DocumentModel("t/first", state=dict)
second = DocumentModel("t/second", state=dict)
both = [first, second]
nothing = []
number = 5
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files into the current directory; what they made importable is forgotten after."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def write(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def _types(*specs: str) -> set[str]:
    return set(load(specs).models)


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
    assert _types("docreactor.examples.todo", "docreactor.examples.todo:todo") == {"example/todo"}


def test_a_model_with_a_gap_in_its_versions_is_refused_before_anything_starts() -> None:
    model = DocumentModel("t/gap", state=dict)
    model.upgrade(to=3)(lambda state: state)

    with pytest.raises(InvalidModelError, match="nothing of version 2"):
        Registry([model])


def test_a_module_gives_every_model_it_has_or_the_one_that_is_named(write: Write) -> None:
    write("somewhere.py", MODEL)

    assert _types("somewhere") == {"t/first", "t/second"}
    assert _types("somewhere:second") == {"t/second"}
    assert _types("somewhere:both") == {"t/first", "t/second"}


def test_a_file_gives_every_model_it_has_or_the_one_that_is_named(write: Write) -> None:
    path = write("deep/down/file.py", MODEL)

    assert _types("deep/down/file.py") == {"t/first", "t/second"}
    assert _types(f"{path}:first") == {"t/first"}
    assert load(["deep/down/file.py", str(path)]).models.keys() == {"t/first", "t/second"}


def test_a_file_may_import_its_neighbours_and_may_be_named_like_a_known_module(
    write: Write,
) -> None:
    write("deep/neighbour_of_json.py", "NAME = 't/neighbour'")
    write(
        "deep/json.py",
        "from docreactor import DocumentModel\n"
        "from neighbour_of_json import NAME\n"
        "model = DocumentModel(NAME, state=dict)\n",
    )

    assert _types("deep/json.py") == {"t/neighbour"}
    assert "models" not in vars(sys.modules["json"])


def test_classes_of_a_file_may_name_each_other(write: Write) -> None:
    write(
        "later.py",
        "from __future__ import annotations\n"
        "from docreactor import DocumentModel, State\n"
        "class Outer(State):\n    inner: Inner | None = None\n"
        "class Inner(State):\n    items: list[int] = []\n"
        "model = DocumentModel('t/later', state=Outer)\n",
    )

    model = load(["later.py"]).model("t/later")

    assert model.read(1, "global", b'{"inner":{"items":[1]}}').inner.items == [1]


def test_an_installed_package_brings_its_models_by_entry_point(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("brought.py", MODEL)
    write("brought-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: brought\nVersion: 1\n")
    points = write("brought-1.dist-info/entry_points.txt", "")
    monkeypatch.syspath_prepend(str(tmp_path))

    for value in ("brought", "brought:both", "brought:first"):
        points.write_text(f"[docreactor.models]\nmine = {value}\n")
        assert "t/first" in load([]).models
    for value, reason in (("brought:number", "neither"), ("nowhere", "ModuleNotFoundError")):
        points.write_text(f"[docreactor.models]\nmine = {value}\n")
        with pytest.raises(ModelNotLoadedError, match=f"mine = {value} .*{reason}"):
            load([])


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere", "nowhere: no module nowhere in .* start where it lies, or name its file"),
        ("somewhere.inside", "somewhere.inside: no module somewhere.inside"),
        ("nowhere.py", "nowhere.py: there is no file .*nowhere.py; correct the path"),
        ("somewhere:third", "somewhere:third: somewhere has no third; name one that it has"),
        ("somewhere:number", "number is neither a DocumentModel nor a sequence of them"),
        ("somewhere:nothing", "nothing is empty"),
        ("json", "json: it defines no DocumentModel; name a module or a file that has one"),
        ("", "ValueError: Empty module name"),
        (".relative", "TypeError"),
    ],
)
def test_what_is_not_there_says_what_to_do(write: Write, spec: str, message: str) -> None:
    write("somewhere.py", MODEL)

    with pytest.raises(ModelNotLoadedError, match=message):
        load([spec])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\nraise KeyError('boo')\n", r"KeyError: 'boo' \(.*broken.py, line 2\)"),
        ("import json\n\njson.loads('x')\n", r"JSONDecodeError: .*broken.py, line 3\)"),
        ("import nonsuch\n", r"ModuleNotFoundError: No module named 'nonsuch' .*line 1\)"),
        ("x = 1\ndef (\n", r"SyntaxError: invalid syntax \(.*broken.py, line 2\)"),
        ("import sys\nsys.exit(3)\n", r"SystemExit: 3 \(.*broken.py, line 2\)"),
        ("raise ValueError\n", r"ValueError: no message \(.*line 1\)"),
        (
            "from docreactor import DocumentModel\nm = DocumentModel('a b', state=dict)\n",
            r"InvalidModelError: document type 'a b' must match .*broken.py, line 2\)",
        ),
    ],
)
@pytest.mark.parametrize("spec", ["broken", "broken.py"])
def test_a_module_that_fails_is_named_with_its_own_message_and_line(
    write: Write, spec: str, source: str, message: str
) -> None:
    write("broken.py", source)

    for _ in range(2):
        with pytest.raises(ModelNotLoadedError, match=f"^{spec}: {message}") as refused:
            load([spec])
        assert "Traceback" not in str(refused.value)
