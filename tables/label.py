"""What a store keeps beside its rows: whose it is, how far it is, when it was written."""

from __future__ import annotations

from collections.abc import Mapping

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.position import Offset
from docreactor.tables.store import StoreIdentity


def write_label(
    identity: StoreIdentity | None, positions: Mapping[str, Offset], written_ms: int | None
) -> bytes:
    """The bytes of one."""
    return encode(
        {
            "log_id": None if identity is None else identity.log_id,
            "positions": positions,
            "schema_version": None if identity is None else identity.schema_version,
            "written_ms": written_ms,
        }
    )


def read_label(
    content: bytes,
) -> tuple[StoreIdentity | None, dict[str, Offset], int | None]:
    """The identity, the positions and the time behind the bytes."""
    label = decode(content)
    identity = None
    if label["log_id"] is not None:
        identity = StoreIdentity(label["log_id"], label["schema_version"])
    positions = {topic: Offset(offset) for topic, offset in label["positions"].items()}
    return identity, positions, label["written_ms"]
