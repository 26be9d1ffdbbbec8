"""Tests that draw everything from a seed: which seeds there are, and how to run one again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

OPTION = "--seed"
_EACH = 1


class Seeds:
    """The seeds of one test, and where it stands."""

    def __init__(self, seeds: range, function: str) -> None:
        self._seeds = seeds
        self._function = function

    def __iter__(self) -> Iterator[int]:
        return iter(self._seeds)

    @contextmanager
    def told(self, seed: int) -> Iterator[None]:
        """Let a failure of the block say how to run its seed alone."""
        try:
            yield
        except Exception as error:
            again = f".venv/bin/python -m pytest -m '' {OPTION} {seed} '{self._function}'"
            error.add_note(f"seed {seed}, again: {again}")
            raise


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> Seeds:
    """Those that the test's mark names, or the one of the option."""
    function = request.node.nodeid.partition("[")[0]
    return Seeds(request.param, function)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        OPTION, type=int, default=None, metavar="N", help="Run tests that have seeds with this one."
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "seeds(count, each): a test runs over so many seeds, `each` of them at a time"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the fixture `seeds` once for each part of them."""
    if "seeds" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("seeds")
    assert mark is not None, f"{metafunc.definition.nodeid} must say how many seeds it takes"
    (count,), each = mark.args, mark.kwargs.get("each", _EACH)
    chosen: int | None = metafunc.config.getoption(OPTION)
    parts = [range(at, min(at + each, count)) for at in range(0, count, each)]
    if chosen is not None:
        parts = [range(chosen, chosen + 1)]
    names = [str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts]
    metafunc.parametrize("seeds", parts, indirect=True, ids=names)
