"""A value that travels through Kafka: canonical JSON, its format version in a header."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from docreactor.pipeline.errors import UndecodableRecordError, UnknownFormatError

Headers = Sequence[tuple[str, bytes]]

FORMAT_HEADER = "v"
FORMAT_VERSION = b"1"
HEADERS: Headers = ((FORMAT_HEADER, FORMAT_VERSION),)
"""What every record of ours carries."""


class Record(BaseModel):
    """Frozen, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Read one record's value, or UndecodableRecord with the field and the reason."""
        try:
            return cls.model_validate_json(content)
        except ValidationError as cause:
            first = cause.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or cls.__name__
            raise UndecodableRecordError(f"{where}: {first['msg']}") from cause


def check_format(headers: Headers, where: str) -> None:
    """UnknownFormat unless the record is in the one format that this program writes."""
    if headers == HEADERS:
        return
    for name, value in headers:
        if name == FORMAT_HEADER:
            if value != FORMAT_VERSION:
                raise UnknownFormatError(where, value.decode(errors="replace"))
            return
    raise UnknownFormatError(where, "(none)")
