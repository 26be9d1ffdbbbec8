"""The models that installed packages bring, and what failed among them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points

from docreactor.pipeline.errors import ReactorError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.read_model import check
from docreactor.pipeline.spec import Model, models_at, spec_of

ENTRY_POINT_GROUP = "docreactor.models"
LOOK_EVERY_S = 0.5
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an entry point brings nothing, and when it is tried again."""

    error: ReactorError
    wait_s: float
    again_at_s: float


class Packages:
    """The models behind the entry points. One that fails keeps nobody from the others.

    What failed is tried again after a while, which doubles up to a minute.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._found: dict[str, list[Model]] = {}
        self._failures: dict[str, _Failure] = {}
        self._look_again_at_s: float | None = None

    @property
    def found(self) -> Mapping[str, list[Model]]:
        """Models by entry point, in the order in which they came."""
        return self._found

    @property
    def failures(self) -> dict[str, ReactorError]:
        """Why an entry point brings nothing, by entry point."""
        return {spec: failure.error for spec, failure in self._failures.items()}

    def look(self) -> None:
        """Import what is new since the last look, and what failed when its time has come.

        A look that follows at once finds nothing more.
        """
        if self._look_again_at_s is not None and self._monotonic_s() < self._look_again_at_s:
            return
        importlib.invalidate_caches()
        points = {spec_of(point): point for point in entry_points(group=ENTRY_POINT_GROUP)}
        self._failures = {spec: one for spec, one in self._failures.items() if spec in points}
        for spec in sorted(points.keys() - self._found.keys()):
            failed = self._failures.get(spec)
            if failed is not None and self._monotonic_s() < failed.again_at_s:
                continue
            try:
                models = models_at(points[spec])
                check_models(models)
            except ReactorError as error:
                self._failures[spec] = self._again(error, failed)
            else:
                self._found[spec] = models
                self._failures.pop(spec, None)
        self._look_again_at_s = self._monotonic_s() + LOOK_EVERY_S

    def _again(self, error: ReactorError, before: _Failure | None) -> _Failure:
        wait_s = RETRY_FIRST_S if before is None else min(RETRY_MAX_S, 2 * before.wait_s)
        return _Failure(error, wait_s, self._monotonic_s() + wait_s)


def check_models(models: Iterable[Model]) -> None:
    """InvalidModel for one that cannot work, such as one with a gap in its versions."""
    for model in models:
        if isinstance(model, DocumentModel):
            _ = model.version
        else:
            check(model)
