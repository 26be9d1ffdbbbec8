"""What `up` and `worker` say on standard output when they are ready: one line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Announcement:
    """Where a deployment's processes answer."""

    url: str
    urls: tuple[str, ...]
    app: str
    data: str
    broker: str
    pids: tuple[int, ...]

    @property
    def line(self) -> str:
        """As JSON, without a line break."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def parse(cls, line: str | bytes) -> Announcement:
        """Read a line back; ValueError when it is none."""
        facts: dict[str, Any] = orjson.loads(line)
        facts |= {name: tuple(facts[name]) for name in ("urls", "pids")}
        return cls(**facts)
