"""What a process has used: processor time and memory."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of one process with all its threads, since it started. RSS is what it holds now."""

    cpu_s: float
    rss_bytes: int


def usage_of(pid: int) -> Usage:
    """What the process has used so far. ProcessLookupError when it is gone."""
    if (_PROC / "self" / "stat").exists():
        return _from_proc(_PROC / str(pid))
    return _from_ps(pid)


def _from_proc(directory: Path) -> Usage:
    try:
        # The program's name is in parentheses and may hold anything.
        fields = (directory / "stat").read_text().rpartition(")")[2].split()
        pages = int((directory / "statm").read_text().split()[1])
    except (FileNotFoundError, IndexError) as cause:
        raise ProcessLookupError(directory.name) from cause
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def _from_ps(pid: int) -> Usage:
    command = ("ps", "-o", "time=,rss=", "-p", str(pid))
    said = subprocess.run(command, capture_output=True, check=False, text=True).stdout.split()
    if len(said) != 2:
        raise ProcessLookupError(str(pid))
    return Usage(clock_s(said[0]), int(said[1]) * 1024)


def clock_s(text: str) -> float:
    """Seconds behind ps's [[days-]hours:]minutes:seconds."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)
