"""What a node knows of a document that runs on it, before anything is decided."""

from __future__ import annotations

from docreactor.agents.live import LivePartition
from docreactor.pipeline.action import DOCUMENT_SCOPE
from docreactor.pipeline.document import Document
from docreactor.pipeline.errors import DocumentAlreadyExistsError
from docreactor.pipeline.job import Mutation
from docreactor.pipeline.keys import Stream


def known_document(live: LivePartition, document_id: str, branch: str) -> Document | None:
    """The document as the reducer left it, or as the view shows it, a moment behind."""
    stream = Stream(document_id, DOCUMENT_SCOPE, branch)
    newest = live.cache.peek(stream)
    if newest is not None:
        created: Document = newest.state
        return created
    content = live.documents.row(stream)
    if content is None:
        return None
    document: Document = live.replay.decode(stream, content).state
    return document


def check_absent(live: LivePartition, job: Mutation) -> None:
    """DocumentAlreadyExists unless the job's document is new here, or this very job made it."""
    stream = Stream(job.document_id, DOCUMENT_SCOPE, job.branch)
    operations = live.operations
    if operations.head(stream) and operations.index_of(stream, job.actions[0].id) is None:
        raise DocumentAlreadyExistsError(job.document_id, job.branch)
