"""The lines of a stream of server-sent events: how they are written, and read back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MEDIA_TYPE = "text/event-stream"
OVERFLOW = "overflow"
"""The event that tells a reader that it was too slow."""

RETRY_MS = 1_000
"""How long a reader waits before it asks again."""


def block(
    *,
    comment: str | None = None,
    event: str | None = None,
    id: str | None = None,
    data: bytes | None = None,
    retry_ms: int | None = None,
) -> bytes:
    """One block. None of these may hold a line break: JSON has none, and ids and names neither.

    With an id and without data it moves the reader's last id, and is no event.
    """
    lines: list[bytes] = []
    if comment is not None:
        lines.append(f": {comment}".encode())
    if retry_ms is not None:
        lines.append(f"retry: {retry_ms}".encode())
    if event is not None:
        lines.append(f"event: {event}".encode())
    if id is not None:
        lines.append(f"id: {id}".encode())
    if data is not None:
        lines.append(b"data: " + data)
    return b"\n".join([*lines, b"", b""])


@dataclass(slots=True)
class Block:
    """What one block said; `data` is None for one that is no event."""

    comment: str | None = None
    event: str = "message"
    id: str | None = None
    data: str | None = None
    retry_ms: int | None = None

    def hear(self, line: str) -> None:
        """Take one line. What is not known is passed over."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comment = value
            case "event":
                self.event = value
            case "id":
                self.id = value
            case "data":
                self.data = value if self.data is None else f"{self.data}\n{value}"
            case "retry" if value.isdecimal():
                self.retry_ms = int(value)
            case _:
                pass


@dataclass(slots=True)
class Lines:
    """Cuts what comes into blocks. Lines end as the standard has it, whatever pieces come.

    Nothing but CR and LF ends a line: JSON may hold what else Python takes for the end of one.
    """

    _rest: bytes = b""
    _block: Block = field(default_factory=Block)
    _is_begun: bool = False

    def take(self, piece: bytes) -> Iterator[Block]:
        """The blocks that this piece ends."""
        text = self._rest + piece
        # A CR at the end may be half of a CR LF.
        held = text[-1:] if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, last = text.split(b"\n")
        self._rest = last + held
        for line in lines:
            if line:
                self._block.hear(line.decode(errors="replace"))
                self._is_begun = True
            elif self._is_begun:
                yield self._block
                self._block, self._is_begun = Block(), False
