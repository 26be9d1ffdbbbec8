"""Accepts what the present model makes of a document: a record that lasts says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from docreactor.agents.chores import Chore, Chores
from docreactor.agents.log import Entry
from docreactor.agents.staging import Staging
from docreactor.agents.write_tables import WriteTables
from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.errors import HashMismatchError
from docreactor.pipeline.finding import Fault
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.timestamp import Microseconds, render
from docreactor.tables.verification import Verdict

_CURED = frozenset(
    {Fault.HASH_MISMATCH, Fault.QUARANTINED, Fault.VIEW_DIFFERS, Fault.CORRUPT_KEYFRAME}
)


def is_acceptable(verdict: Verdict) -> bool:
    """Whether all that is wrong is that the model gives other states than were recorded.

    What was changed or lost on the log is nobody's to accept.
    """
    mismatch = HashMismatchError.name()
    return {finding.fault for finding in verdict.findings} <= _CURED and any(
        finding.fault is Fault.HASH_MISMATCH
        or (finding.fault is Fault.QUARANTINED and finding.detail.startswith(mismatch))
        for finding in verdict.findings
    )


async def accept(
    tables: WriteTables,
    registry: Registry,
    chores: Chores,
    document_id: str,
    now_us: Callable[[], Microseconds],
) -> None:
    """Let the recorded hashes of all that is stored of the document pass from here on.

    Its keyframes go, because they hold the states of before; the view derives its rows again when
    it meets the record. Stored operations stay as they are.
    """
    streams: dict[str, Accepted] = {}
    make = partial(_staging, tables, document_id, now_us, streams)

    def done() -> None:
        for accepted in streams.values():
            registry.accepted.update(accepted.streams)
        tables.cache.invalidate(document_id)
        tables.keyframes.forget()

    await chores.ask(Chore(make, done))


def _staging(
    tables: WriteTables,
    document_id: str,
    now_us: Callable[[], Microseconds],
    made: dict[str, Accepted],
) -> Staging | None:
    streams = tables.operations.streams_of(document_id)
    if not streams:
        return None
    labels = {f"{stream.scope}/{stream.branch}": head.next_index - 1 for stream, head in streams}
    accepted = made[document_id] = Accepted(document_id, render(now_us()), labels)
    staging = Staging(tables.keyframes.stage())
    record = Entry(accepted_key(document_id), accepted.encode())
    staging.operations.append(record)
    staging.rows += tables.operations.lasting.rows(accepted_key(document_id), record.value)
    staging.keyframes.remove(tables.keyframes.keys_of(document_id))
    return staging
