"""Where a measurement was taken: figures of two machines are not to be compared."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from docreactor.gateway.broker.jars import KAFKA_VERSION

_PACKAGES = (
    "docreactor",
    "aiokafka",
    "faust-streaming",
    "fastapi",
    "orjson",
    "pydantic",
    "rocksdict",
    "uvicorn",
)


def machine() -> dict[str, Any]:
    """Cores, how busy they were, system, Python, and the versions that matter.

    Kafka's is the development broker's.
    """
    return {
        "cores": _cores(),
        "kafka": KAFKA_VERSION,
        "load": round(os.getloadavg()[0], 2),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: _version(name) for name in _PACKAGES},
    }


def _cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
