"""Style is a test: what a reader may expect of every file, each message naming the way out."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("pipeline", "tables", "agents", "gateway", "bench", "examples")

MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
COLUMNS_MAX = 100
# The tree of errors is one list in one file: whoever catches one error reads its neighbours.
LONG_BY_CHOICE = {PurePosixPath("pipeline/errors.py")}

ROOM = "name the noun it holds, as tables/store.py does"
REPLACEMENTS = {
    "util": ROOM,
    "utils": ROOM,
    "utility": ROOM,
    "utilities": ROOM,
    "helper": ROOM,
    "helpers": ROOM,
    "common": ROOM,
    "misc": ROOM,
    "manager": "name what it does: Coordinator, Scheduler, Worker",
    "base": "write a Protocol or a plain function",
    "types": "put each type beside the code that owns it",
}
AFFIXES = {
    "abstract": "write a Protocol, named for what it does",
    "impl": "name what sets it apart: MemoryStore, RocksStore",
}
DICTIONARY = {
    "command": "Action is what is asked",
    "event": "Operation is what was answered",
    "offset_map": "Position is how far a log has been read",
    "process": "submit, load, reduce, replay, restore and wait are the verbs",
    "handle": "submit, load, reduce, replay, restore and wait are the verbs",
    "handler": "submit, load, reduce, replay, restore and wait are the verbs",
}
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")
SKIPPING = re.compile(r"\bpytest\.(mark\.)?(skip|skipif|importorskip|x[f]ail)\b")
MACHINE = re.compile(r"(?<![\w.])/(work|root|home/\w+|Users/\w+)/")


@dataclass(frozen=True)
class Module:
    """One Python file of the checkout, by its path from the top."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def is_test(self) -> bool:
        return self.path.parts[0] == "tests"

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


Rule = Callable[[Module], Iterable[tuple[int, str]]]


def long_modules(module: Module) -> Iterator[tuple[int, str]]:
    exempt = module.is_test or module.path in LONG_BY_CHOICE
    if not exempt and len(module.lines) > MODULE_LINES_MAX:
        yield 1, f"{len(module.lines)} lines: find the second noun and give it a file"


def long_functions(module: Module) -> Iterator[tuple[int, str]]:
    for function in module.functions():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield function.lineno, f"{function.name}: {lines} lines: name its steps as functions"


def long_lines(module: Module) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(module.lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns: break it, or name a part of it"


def undocumented_modules(module: Module) -> Iterator[tuple[int, str]]:
    if module.tree.body and not ast.get_docstring(module.tree):
        yield 1, "no docstring: say in one sentence which noun this file is"


def unfinished_work(module: Module) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(module.lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished: do it, or open an issue"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "NotImplemented" + "Error":
            yield node.lineno, "a stub: write a Protocol, or leave it out until it exists"


def prints(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id == "print":
            yield node.lineno, "print: use the console in commands, structlog elsewhere"


def hidden_imports(module: Module) -> Iterator[tuple[int, str]]:
    for function in module.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield node.lineno, f"import inside {function.name}: import at the top"


def swallowed_errors(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            )
            if node.type is None or (broad and isinstance(node.body[0], ast.Pass)):
                yield node.lineno, "swallows every error: catch what you can cure, by name"


def skipped_tests(module: Module) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(module.lines, 1):
        if module.is_test and SKIPPING.search(line):
            yield number, "a test that may not run: make what it needs, or mark it nightly"


def paths_of_one_machine(module: Module) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(module.lines, 1):
        if MACHINE.search(line):
            yield number, "a path of one machine: take a setting or tmp_path"


def banned_names(module: Module) -> Iterator[tuple[int, str]]:
    for part in (*module.path.parts[:-1], module.path.stem):
        name = part.removeprefix("test_")
        for replacement in replacements(name, name.split("_")):
            yield 1, f"module {part}: {replacement}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", node.name)
            for replacement in replacements(node.name, words):
                yield node.lineno, f"class {node.name}: {replacement}"


def replacements(name: str, words: list[str]) -> Iterator[str]:
    """What to write instead of a name: for one of its words, its ends, or the whole of it."""
    lowered = [word.lower() for word in words]
    for word in lowered:
        if word in REPLACEMENTS:
            yield f"`{word}` says nothing: {REPLACEMENTS[word]}"
    for word in {*lowered[:1], *lowered[-1:]} & AFFIXES.keys():
        yield f"`{word}` says nothing: {AFFIXES[word]}"
    if re.match(r"I[A-Z][a-z]", name):
        yield "the prefix `I` says nothing: name the Protocol for what it does"
    if (whole := "_".join(lowered)) in DICTIONARY:
        yield f"not a word of ours: {DICTIONARY[whole]}"


def missing_mirrors(module: Module) -> Iterator[tuple[int, str]]:
    if module.is_test or module.path.name == "__init__.py":
        return
    mirror = mirror_of(module.path)
    if not (ROOT / mirror).is_file():
        yield 1, f"untested: write {mirror}"


def mirror_of(path: PurePosixPath) -> PurePosixPath:
    """Where the tests of a source module live: the test tree is the source tree."""
    folder = path.parent
    if folder.is_relative_to("src/docreactor"):
        folder = folder.relative_to("src/docreactor")
    return PurePosixPath("tests") / folder / f"test_{path.stem.strip('_')}.py"


RULES: tuple[Rule, ...] = (
    long_modules,
    long_functions,
    long_lines,
    undocumented_modules,
    unfinished_work,
    prints,
    hidden_imports,
    swallowed_errors,
    skipped_tests,
    paths_of_one_machine,
    banned_names,
    missing_mirrors,
)


def checkout() -> Iterator[Module]:
    """Every Python file of ours, each once: the links under src/ are not followed."""
    paths = [path for folder in (*FOLDERS, "tests") for path in (ROOT / folder).rglob("*.py")]
    paths += (ROOT / "src" / "docreactor").glob("*.py")
    for path in sorted(paths):
        yield Module(PurePosixPath(path.relative_to(ROOT)), path.read_text())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_is_tidy(rule: Rule) -> None:
    found = [
        f"{module.path}:{line}: {message}"
        for module in checkout()
        for line, message in rule(module)
    ]
    assert not found, "\n" + "\n".join(found)


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    found = [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").is_file()]
    assert not found, f"add an empty __init__.py, or two test_view.py collide: {found}"


def test_every_function_of_a_test_module_named_test_is_a_sentence() -> None:
    found = [
        f"{module.path}:{function.lineno}: {function.name}: say what behaves how"
        for module in checkout()
        if module.is_test
        for function in module.functions()
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (long_modules, "tables/store.py", '"""A."""\n' + "x = 1\n" * MODULE_LINES_MAX),
        (long_functions, "tables/store.py", "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
        (long_lines, "tables/store.py", f'"""{"a" * COLUMNS_MAX}"""\n'),
        (undocumented_modules, "tables/store.py", "x = 1\n"),
        (unfinished_work, "tables/store.py", "# TO" + "DO: later\n"),
        (unfinished_work, "tables/store.py", "raise NotImplemented" + "Error\n"),
        (prints, "tables/store.py", "print('hello')\n"),
        (hidden_imports, "tables/store.py", "def f():\n    import os\n"),
        (swallowed_errors, "tables/store.py", "try: f()\nexcept Exception: pass\n"),
        (swallowed_errors, "tables/store.py", "try: f()\nexcept: log()\n"),
        (skipped_tests, "tests/test_a.py", "@pytest.mark" + ".skipif(x)\n"),
        (paths_of_one_machine, "tables/store.py", "path = '/ho" + "me/me/data'\n"),
        (banned_names, "tables/utils.py", ""),
        (banned_names, "tables/store_helpers.py", ""),
        (banned_names, "tables/event.py", ""),
        (banned_names, "tables/store.py", "class StoreManager: ...\n"),
        (banned_names, "tables/store.py", "class AbstractStore: ...\n"),
        (banned_names, "tables/store.py", "class IStore: ...\n"),
        (banned_names, "tables/store.py", "class Event: ...\n"),
        (missing_mirrors, "tables/no_such_module.py", ""),
    ],
)
def test_a_rule_finds_what_it_is_for(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module(PurePosixPath(path), text)))


@pytest.mark.parametrize(
    ("path", "mirror"),
    [
        ("pipeline/reduce.py", "tests/pipeline/test_reduce.py"),
        ("agents/log/kafka.py", "tests/agents/log/test_kafka.py"),
        ("src/docreactor/testing.py", "tests/test_testing.py"),
        ("gateway/__main__.py", "tests/gateway/test_main.py"),
    ],
)
def test_the_test_tree_mirrors_the_source_tree(path: str, mirror: str) -> None:
    assert mirror_of(PurePosixPath(path)) == PurePosixPath(mirror)


def test_no_lock_names_where_a_package_lives() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        lines = [line for line in lock.read_text().splitlines() if "://" in line]
        assert not lines, f"{lock.name} names a place: make it with `make lock`: {lines[:3]}"
