"""A value that travels through Kafka by the thousand: a typed structure, decoded in one step."""

from __future__ import annotations

from typing import Any, Self

import msgspec

from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.errors import UndecodableRecordError


class Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Frozen, and refuses what it does not know. Only `decode` checks: constructors trust."""

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Read one record's value, or UndecodableRecord with the field and the reason."""
        decoder = _decoders.get(cls) or _decoder(cls)
        try:
            value: Self = decoder.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
            raise UndecodableRecordError(f"{cls.__name__}: {cause}") from cause
        return value

    @property
    def json(self) -> dict[str, JSON]:
        """Its fields as plain JSON values."""
        fields: dict[str, JSON] = msgspec.to_builtins(self)
        return fields


_decoders: dict[type[Wire], msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[Wire]) -> msgspec.json.Decoder[Any]:
    return _decoders.setdefault(kind, msgspec.json.Decoder(kind))
