"""What a reducer may know besides state and input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from docreactor.pipeline.canonical import decode, encode
from docreactor.pipeline.errors import InvalidInputError
from docreactor.pipeline.frozen import freeze


@dataclass(frozen=True, slots=True)
class Origin:
    """The part of a document's header that its creation fixed: the same at every replay."""

    id: str
    document_type: str
    branch: str
    created_at: str


class Context(NamedTuple):
    """The action's own time, id and signer, and the origin of its document."""

    timestamp: str
    id: str
    signer: Mapping[str, Any] | None
    header: Origin


def signer_of(context: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The signer as it is stored: its keys in order, and nobody can change it.

    InvalidInput for one that no state could hold.
    """
    signer = context.get("signer") if context else None
    if signer is None:
        return None
    try:
        frozen: Mapping[str, Any] = freeze(decode(encode(signer)))
    except (TypeError, ValueError) as cause:
        raise InvalidInputError("context.signer", f"is not JSON: {cause}") from cause
    return frozen
