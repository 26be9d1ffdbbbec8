"""Which operations of an effective history count, when UNDO and REDO are among them."""

from __future__ import annotations

from docreactor.pipeline.action import CREATE_DOCUMENT, NOOP, REDO, UNDO, UPGRADE_DOCUMENT

_LASTING = frozenset({CREATE_DOCUMENT, UPGRADE_DOCUMENT, NOOP})
"""These are passed over by an undo."""


class Undoing:
    """Told of operations from the newest to the oldest, it says of each whether it counts.

    A REDO cancels the nearest UNDO before it that is not cancelled yet; every UNDO that is left
    takes away the nearest operation before it that is not taken away yet. An operation that has an
    error counts for nothing, an UNDO or a REDO included.
    """

    __slots__ = ("_redos", "_undos", "has_left", "has_taken", "met_marker")

    def __init__(self) -> None:
        self._undos = 0
        self._redos = 0
        self.met_marker = False
        """Whether an UNDO or a REDO was among them."""
        self.has_taken = False
        """Whether an operation was taken away."""
        self.has_left = False
        """Whether an operation counts that an UNDO could take away."""

    @property
    def is_settled(self) -> bool:
        """Whether what lies further down is as it was before every operation told of."""
        return not (self._undos or self._redos)

    def may_leap(self, *, has_taken: bool, has_left: bool) -> bool:
        """Whether a stretch that settles by itself leaves what waits here, and loses nothing to it.

        Without operations left, an UNDO that waits finds nothing there that it could take away.
        Where nothing was taken away, every UNDO is cancelled there: a REDO that waits finds none.
        """
        return not (self._redos and has_taken) and not (self._undos and has_left)

    def leap(self, *, has_taken: bool, has_left: bool) -> None:
        """Be told of such a stretch as a whole."""
        self.met_marker = True
        self.has_taken = self.has_taken or has_taken
        self.has_left = self.has_left or has_left

    def counts(self, action_type: str, *, has_error: bool) -> bool:
        """Whether the operation is one of those that the state is made of."""
        if has_error:
            return False
        if action_type == REDO:
            self.met_marker = True
            self._redos += 1
            return False
        if action_type == UNDO:
            self.met_marker = True
            if self._redos:
                self._redos -= 1
            else:
                self._undos += 1
            return False
        if action_type in _LASTING:
            return True
        if self._undos:
            self._undos -= 1
            self.has_taken = True
            return False
        self.has_left = True
        return True
