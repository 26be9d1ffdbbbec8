"""Compares a document's stored operations with everything that was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docreactor.pipeline.document import Document
from docreactor.pipeline.finding import Fault, Finding
from docreactor.pipeline.keys import Stream
from docreactor.tables.slugs import Claim
from docreactor.tables.stream_check import Checked, StreamCheck

_TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at of one document, and what is wrong. `claims` are its slugs.

    The last of a stream with very many findings says how many are left off. `is_accepted` says
    that its states were accepted before.
    """

    document_id: str
    operations: int
    findings: Sequence[Finding]
    claims: Sequence[Claim]
    is_accepted: bool = False


async def verify(tables: Checked, document_id: str) -> Verdict | None:
    """Walk every stream of the document on all its branches; None when it has none.

    Changes nothing, production caches included. UnknownModel where the model is not here. Writes
    may go on meanwhile: what is found while they move the document is looked at again.
    """
    verdict: Verdict | None = None
    for _ in range(_TRIES_MAX):
        before = tables.operations.streams_of(document_id)
        verdict = await _once(tables, document_id, [stream for stream, _ in before])
        is_still = before == tables.operations.streams_of(document_id)
        if verdict is None or not verdict.findings or is_still:
            break
    return verdict


async def _once(tables: Checked, document_id: str, streams: Sequence[Stream]) -> Verdict | None:
    # A document's own streams come last here and are walked first: what it is decides how the
    # others are replayed, also after an upgrade that has come just now.
    ordered = sorted(streams, key=lambda stream: stream == stream.home)
    checks = [check for stream in ordered if (check := _check(tables, stream)) is not None]
    homes: dict[str, Document | None] = {}
    for check in reversed(checks):
        stream = check.stream
        if stream == stream.home:
            state = await check.run(None)
            homes[stream.branch] = None if state is None else state.state
        elif (document := homes.get(stream.branch)) is not None:
            await check.run(document)
        else:
            check.without_document()
    if not checks:
        return None
    findings = [finding for check in checks for finding in check.told()]
    problem = tables.documents.quarantine_of(document_id)
    if problem is not None:
        detail = f"{problem['title']}: {problem['detail']}"
        findings.append(Finding(Fault.QUARANTINED, document_id, None, None, None, detail))
    return Verdict(
        document_id,
        sum(check.head.next_index for check in checks),
        findings,
        [claim for branch in homes for claim in _claim(tables, document_id, branch)],
    )


def _check(tables: Checked, stream: Stream) -> StreamCheck | None:
    row = tables.documents.row(stream)
    head = tables.operations.head(stream)
    return None if head is None else StreamCheck(tables, stream, head, row)


def _claim(tables: Checked, document_id: str, branch: str) -> list[Claim]:
    header = tables.documents.header(document_id, branch)
    return [] if header is None or header.claim is None else [header.claim]
