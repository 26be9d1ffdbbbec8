"""Whether a transactor may still be used."""

from __future__ import annotations

from docreactor.pipeline.errors import FencedError, LogError


class Standing:
    """Good until something spends it. To be fenced is final and outranks every other reason."""

    def __init__(self) -> None:
        self._spent: LogError | None = None

    def spend(self, reason: LogError | None) -> None:
        """The transactor must be opened again, or, being fenced, ended; None changes nothing."""
        if reason is not None and not isinstance(self._spent, FencedError):
            self._spent = reason

    @property
    def is_spent(self) -> bool:
        return self._spent is not None

    def check(self) -> None:
        """Raises Fenced, or a LogError that says what spent it."""
        if isinstance(self._spent, FencedError):
            raise self._spent
        if self._spent is not None:
            raise LogError(f"open the transactor again: {self._spent.message}")
