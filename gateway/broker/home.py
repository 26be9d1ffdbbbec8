"""Where one broker lives: its data, its log, who it is and who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The names in one broker's directory."""

    directory: Path

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        """What the broker says: one file per start, the one before it beside it."""
        return self.directory / "broker.log"

    @property
    def previous_log(self) -> Path:
        return self.directory / "broker.previous.log"

    @property
    def output(self) -> Path:
        """What the JVM itself says: empty, unless it broke."""
        return self.directory / "jvm.out"

    @property
    def settings(self) -> Path:
        return self.directory / "server.properties"

    @property
    def log_settings(self) -> Path:
        return self.directory / "log4j2.properties"

    @property
    def alive(self) -> Path:
        """Locked by the broker itself for as long as it lives: its identity."""
        return self.directory / "alive"

    @property
    def record(self) -> Path:
        return self.directory / "server.json"

    @property
    def lock(self) -> Path:
        """Held by whoever starts, stops or wipes the broker."""
        return self.directory / "lock"

    @property
    def users(self) -> Path:
        return self.directory / "users"
