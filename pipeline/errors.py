"""Every way this can fail: one tree, one sentence each."""

from __future__ import annotations

from typing import Any, ClassVar


class ReactorError(Exception):
    """The root. `status` is the HTTP status, `facts` the fields of the problem document."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, /, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, Any] = facts

    @classmethod
    def name(cls) -> str:
        """The class's name without the suffix `Error`: the last part of the problem's type."""
        return cls.__name__.removesuffix("Error")
