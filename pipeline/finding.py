"""What a verification found: a name, the place, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from docreactor.pipeline.canonical import JSON


class Fault(StrEnum):
    """What can be wrong with what is stored, or with what is shown of it."""

    INDEX_GAP = "IndexGap"
    WRONG_INDEX = "WrongIndex"
    WRONG_SCOPE = "WrongScope"
    WRONG_ID = "WrongOperationId"
    INVALID_SKIP = "InvalidSkip"
    UNDECODABLE = "UndecodableOperation"
    NOT_CANONICAL = "NotCanonical"
    BROKEN_CHAIN = "BrokenChain"
    OUT_OF_ORDER = "OutOfOrder"
    HASH_MISMATCH = "HashMismatch"
    CORRUPT_HISTORY = "CorruptHistory"
    CORRUPT_KEYFRAME = "CorruptKeyframe"
    HEAD_DIFFERS = "HeadDiffers"
    VIEW_DIFFERS = "ViewDiffers"
    QUARANTINED = "Quarantined"
    SLUG_BEHIND = "SlugBehind"
    MORE_FINDINGS = "MoreFindings"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. What is not known of the place is None."""

    fault: Fault
    document_id: str
    scope: str | None
    branch: str | None
    index: int | None
    detail: str

    @property
    def json(self) -> dict[str, JSON]:
        """The form that HTTP answers."""
        return {
            "branch": self.branch,
            "detail": self.detail,
            "document_id": self.document_id,
            "index": self.index,
            "name": self.fault.value,
            "scope": self.scope,
        }
