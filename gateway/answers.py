"""What callers get: the shapes of replies, for OpenAPI and for the Python client."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from docreactor.gateway.refusal import error_of
from docreactor.pipeline.errors import ReactorError
from docreactor.pipeline.job import JobStatus

JSONObject = dict[str, Any]


class Answer(BaseModel):
    """A frozen reply. Fields that a newer server adds are kept, so that an older client reads on.

    Every list carries `next_cursor`: pass it back for the next page; null after the last.
    """

    model_config = ConfigDict(frozen=True, extra="allow")


class Problem(Answer):
    """A problem document of RFC 9457; `type` ends in the error's name, its facts are fields."""

    type: str
    title: str
    status: int
    detail: str


class Job(Answer):
    """What became of a mutation.

    `token` is empty before WRITE_READY: pass it to a read to see the write. `error` is a problem
    document, or null. `notice` says what an erasure leaves, and for how long. `held_by` names the
    read models that do not show the write, each with its error or with why it set the document
    aside.
    """

    id: str
    document_id: str | None
    scope: str | None
    branch: str | None
    status: JobStatus
    token: str
    error: JSONObject | None
    retry_count: int
    offset: int | None
    notice: str | None = None
    held_by: JSONObject | None = None

    @property
    def failure(self) -> ReactorError | None:
        """The error that the job ended with."""
        return None if self.error is None else error_of(self.error)


class Deletion(Job):
    """What became of a deletion, of which the job is the document's own.

    `jobs` are the ids of those that were enqueued with it, `failures` those of them that failed.
    After a wait, `token` covers them too.
    """

    jobs: list[str] = Field(default_factory=list[str])
    failures: list[Job] = Field(default_factory=list[Job])


class Batch(Answer):
    """What became of the jobs of a batch, by their keys."""

    jobs: dict[str, Job]


class Header(Answer):
    """Who a document is. `revision` holds the next index of each scope that has operations.

    `slug_claimed_at` is since when the slug is claimed; null when it is the id, or not claimed.
    """

    id: str
    document_type: str
    slug: str
    name: str | None
    branch: str
    created_at: str
    last_modified_at: str
    revision: dict[str, int]
    meta: JSONObject
    protocol_versions: dict[str, int]
    is_deleted: bool = False
    deleted_at: str | None = None
    slug_claimed_at: str | None = None


class Document(Answer):
    """A document: a state for each scope, and the position of the table that answered.

    In a list `problem` says why a document was set aside: it is shown as it was before that.
    """

    header: Header
    state: JSONObject
    position: str
    problem: JSONObject | None = None


class StoredAction(Answer):
    """What was asked, with the time that it was given."""

    id: str
    type: str
    scope: str
    timestamp: str
    input: Any
    context: JSONObject | None


class Operation(Answer):
    """What was answered: `error` is null, or why the state stayed as it was."""

    id: str
    index: int
    skip: int
    timestamp: str
    hash: str
    previous: str | None
    error: str | None
    action: StoredAction


class PartitionPosition(Answer):
    """How far one reducer or read model is in one partition, and who runs it."""

    kind: str
    name: str
    partition: int
    next_offset: int | None = None
    end_offset: int | None = None
    lag: int | None = None
    state: str | None = None
    error: JSONObject | str | None = None
    url: str | None = None
    epoch: int | None = None
    node: str | None = None
    progress: float | None = None
    rate: float | None = None
    generation: int | None = None
    serving: bool | None = None
    caught_up: bool | None = None


class Documents(Answer):
    """A page of documents."""

    documents: list[Document]
    next_cursor: str | None


class Exists(Answer):
    """For each id asked for, in that order, whether there is such a document."""

    exists: list[bool]


class Branches(Answer):
    """A page of a document's branches, by name: the header that it has on each."""

    branches: list[Header]
    next_cursor: str | None


class Claim(Answer):
    """A document that claims a slug, and since when."""

    document_id: str
    claimed_at: str


class ClaimedSlug(Claim):
    """The document that a slug stands for: the newest that claims it. `rivals` claim it too."""

    slug: str
    branch: str
    rivals: list[Claim]


class Slugs(Answer):
    """A page of slugs, in the order asked; when none were named, the shorter first."""

    slugs: list[ClaimedSlug]
    next_cursor: str | None


class Operations(Answer):
    """A page of a stream's history, in the order of its indexes."""

    operations: list[Operation]
    next_cursor: str | None


class Positions(Answer):
    """Every reducer and read model, partition by partition.

    `ready` holds the next offset that all `required` read models show, of each partition.
    """

    positions: list[PartitionPosition]
    next_cursor: str | None
    ready: dict[int, int] = Field(default_factory=lambda: dict[int, int]())
    required: list[str] = Field(default_factory=list)


class Token(Answer):
    """What stands for operations that were given by their places."""

    token: str


class Visible(Token):
    """All that was waited for, as one token, and the position that shows it."""

    position: str


class Models(Answer):
    """What this node can run: document types, versions, and the JSON Schema of each action."""

    models: list[JSONObject]
    next_cursor: str | None


class Finding(Answer):
    """One thing that is wrong; what is not known of the place is null."""

    name: str
    document_id: str
    scope: str | None
    branch: str | None
    index: int | None
    detail: str


class Verified(Answer):
    """How many documents and operations were compared, and all that is wrong with them.

    `accepted` counts documents of which the models' present states were accepted.
    """

    documents: int
    operations: int
    accepted: int
    findings: list[Finding]
    next_cursor: str | None


class Keyframed(Answer):
    """How many keyframes were removed and stored, of how many documents, and what is broken."""

    documents: int
    removed: int
    stored: int
    findings: list[Finding]
    next_cursor: str | None


class Health(Answer):
    """Whether the process lives (`/healthz`) and whether it serves (`/readyz`).

    `errors` says what holds up a reducer or a read model, by name and partition; `failures` which
    installed packages bring less than they name, and why.
    """

    status: str
    node: str
    partitions: dict[str, str] = Field(default_factory=dict)
    errors: dict[str, str] = Field(default_factory=dict)
    failures: dict[str, str] = Field(default_factory=dict)
