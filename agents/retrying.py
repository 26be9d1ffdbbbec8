"""How often, and after which waits, a job is tried that the place keeps from being decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from docreactor.pipeline.errors import StoreFailedError
from docreactor.pipeline.settings import Settings

PLACE_FAILURES = (OSError, StoreFailedError)
"""What says nothing about the job: the disk refused, a file is damaged."""


class Retrying:
    """The waits between the attempts: each twice the last, up to a bound, and of random length."""

    def __init__(self, settings: Settings, random: Callable[[], float]) -> None:
        self._settings = settings
        self._random = random

    def waits_s(self) -> Iterator[float]:
        """A wait for each retry, between half and all of what it grows to."""
        settings = self._settings
        wait_ms = settings.retry_backoff_first_ms
        for _ in range(settings.retries_max):
            yield min(wait_ms, settings.retry_backoff_max_ms) * (1 + self._random()) / 2_000
            wait_ms *= 2


def given_up(causes: list[OSError | StoreFailedError]) -> StoreFailedError:
    """The last cause as the job's error, with all of them in its fact `attempts`."""
    last = causes[-1]
    error = StoreFailedError(str(last))
    error.facts["attempts"] = [_told(cause) for cause in causes]
    return error


def _told(cause: OSError | StoreFailedError) -> str:
    name = cause.name() if isinstance(cause, StoreFailedError) else type(cause).__name__
    return f"{name}: {cause}"
