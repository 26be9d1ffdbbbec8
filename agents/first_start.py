"""Whether a data directory has served before: a first start gives up, a later one waits."""

from __future__ import annotations

from pathlib import Path

import orjson

_NAME = "served.json"


def has_served(home: Path, bootstrap_servers: str) -> bool:
    """Whether a worker over this directory was ready once, with the Kafka at this address."""
    try:
        facts: dict[str, str] = orjson.loads((home / _NAME).read_bytes())
    except FileNotFoundError:
        return False
    return facts["broker"] == bootstrap_servers


def remember_serving(home: Path, bootstrap_servers: str) -> None:
    """Put on record that a worker over this directory was ready."""
    if has_served(home, bootstrap_servers):
        return
    arriving = home / f"{_NAME}.arriving"
    arriving.write_bytes(orjson.dumps({"broker": bootstrap_servers}))
    arriving.rename(home / _NAME)
