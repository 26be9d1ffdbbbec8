"""Whether the tests that docs/behaviours.md names are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "behaviours.md").read_text()
NAMED = re.compile(r"`(tests/[a-z0-9_/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@cache
def named_in(path: Path) -> frozenset[str]:
    """The names of a module's tests, those of its classes too."""
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def test_every_test_that_is_named_is_there() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED.findall(TEXT)
        if not (ROOT / path).is_file() or name not in named_in(ROOT / path)
    ]
    assert not missing, f"docs/behaviours.md: name the tests as they are called now: {missing}"


def test_every_behaviour_names_a_test() -> None:
    rows = ROW.findall(TEXT)
    headings = TEXT.count("\n| no. |")
    assert len(rows) == TEXT.count("\n| ") - headings, "each row is a number and two cells"
    for number, behaviour, shown_by in rows:
        named = NAMED.findall(shown_by)
        assert named, f"{number} ({behaviour}) is shown by no test"
        assert len(named) == shown_by.count("::"), f"{number}: write `path::name`, <br> between"


def test_numbers_ascend_within_each_part() -> None:
    for part in TEXT.split("\n## Where it is easy"):
        numbers = [int(number) for number, _, _ in ROW.findall(part)]
        assert numbers == sorted(set(numbers))
