"""What --models or an entry point names: modules, files, and the models in them."""

from __future__ import annotations

import sys

import pytest

from docreactor.pipeline.errors import ModelNotLoadedError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.read_model import ReadModel
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


READ_MODELS = """
from docreactor import ReadModel
from docreactor import DocumentModel as Another
class Words(ReadModel):
    name = "words"
    def apply(self, batch, writer):
        pass
class Named(Words):
    def __init__(self, name):
        self.name = name
class Nameless(ReadModel):
    def apply(self, batch, writer):
        pass
class Unfinished(ReadModel):
    name = "unfinished"
class Fails(Words):
    name = "fails"
    def __init__(self, *, given=0):
        given / 0
"""


def _types(spec: str) -> set[str]:
    return {model.document_type for model in models_named(spec) if isinstance(model, DocumentModel)}


def _names(spec: str) -> list[str]:
    return [model.name for model in models_named(spec) if isinstance(model, ReadModel)]


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
    assert isinstance(model, DocumentModel)

    assert model.read(1, "global", b'{"inner":{"items":[1]}}').inner.items == [1]


def test_a_module_may_hold_read_models_beside_models_of_documents_or_alone(write: Write) -> None:
    write("kept.py", READ_MODELS.partition("class Fails")[0])
    write("both.py", f"{MODEL}\nfrom kept import Words, Unfinished")

    assert _names("kept") == ["words"]
    assert _names("kept.py") == ["words"]
    assert (_names("both"), _types("both")) == (["words"], {"t/first", "t/second"})


def test_a_class_stands_for_one_instance_however_often_it_is_named(write: Write) -> None:
    write("kept.py", READ_MODELS.partition("class Fails")[0])

    assert models_named("kept") == models_named("kept:Words")


def test_a_module_that_has_an_instance_of_a_class_brings_no_second_one(write: Write) -> None:
    write("made.py", READ_MODELS.partition("class Fails")[0] + "here = Words()\nb = Named('b')\n")

    assert _names("made") == ["words", "b"]
    assert _names("made:b") == ["b"]


@pytest.mark.parametrize("name", ["Named", "Nameless", "Unfinished"])
def test_a_class_that_is_named_and_can_stand_for_nothing_is_refused(
    write: Write, name: str
) -> None:
    write("kept.py", READ_MODELS)

    with pytest.raises(ModelNotLoadedError, match=f"{name} lacks `name` or `apply`, or takes"):
        models_named(f"kept:{name}")


@pytest.mark.parametrize("spec", ["kept", "kept:Fails"])
def test_a_class_whose_instance_cannot_be_made_is_told_with_its_line(
    write: Write, spec: str
) -> None:
    write("kept.py", READ_MODELS)

    with pytest.raises(ModelNotLoadedError, match=r"ZeroDivisionError: .*kept.py, line 19"):
        models_named(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere", "nowhere: no module nowhere in .* start where it lies, or name its file"),
        ("somewhere.inside", "somewhere.inside: no module somewhere.inside"),
        ("nowhere.py", "nowhere.py: there is no file .*nowhere.py; correct the path"),
        ("somewhere:third", "somewhere:third: somewhere has no third; name one that it has"),
        ("somewhere:number", "number is neither a DocumentModel nor a ReadModel nor a sequence"),
        ("somewhere:nothing", "nothing is empty"),
        ("json", "json: it defines no DocumentModel and no ReadModel; name a module or a file"),
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
