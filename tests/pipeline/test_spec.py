"""What --models or an entry point names: modules, files, and the models in them."""

from __future__ import annotations

import sys

import pytest

from docreactor.pipeline.errors import ModelNotLoadedError
from docreactor.pipeline.spec import models_named
from tests.pipeline.conftest import Write

MODEL = """
from docreactor import DocumentModel
first = DocumentModel("t/first", state=dict)
second = DocumentModel("t/second", state=dict)
both = [first, second]
nothing = []
number = 5
"""


def _types(spec: str) -> set[str]:
    return {model.document_type for model in models_named(spec)}


def test_a_module_gives_every_model_it_has_or_the_one_that_is_named(write: Write) -> None:
    write("somewhere.py", MODEL)

    assert _types("somewhere") == {"t/first", "t/second"}
    assert _types("somewhere:second") == {"t/second"}
    assert _types("somewhere:both") == {"t/first", "t/second"}


def test_a_file_gives_every_model_it_has_or_the_one_that_is_named(write: Write) -> None:
    path = write("deep/down/file.py", MODEL)

    assert _types("deep/down/file.py") == {"t/first", "t/second"}
    assert _types(f"{path}:first") == {"t/first"}
    assert models_named("deep/down/file.py") == models_named(str(path))


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

    (model,) = models_named("later.py")

    assert model.read(1, "global", b'{"inner":{"items":[1]}}').inner.items == [1]


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
        models_named(spec)


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
            models_named(spec)
        assert "Traceback" not in str(refused.value)
