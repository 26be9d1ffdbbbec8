"""What callers send: bodies and queries, which refuse what they do not know."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from docreactor.pipeline.inputs import DEFAULT_BRANCH, SLUG_CHARACTERS_MAX

KEY_CHARACTERS_MAX = 200
DEPENDENCIES_MAX = 1_000
LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000
TIMEOUT_DEFAULT_MS = 30_000
TIMEOUT_MAX_MS = 300_000
DEFAULT_SCOPE = "global"

Cascade = Literal["none", "edges", "children"]
"""What a deletion takes with it."""


class Request(BaseModel):
    """Frozen, and refuses fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _split(values: Any) -> Any:
    """Several values of one parameter are comma-separated or repeated."""
    if isinstance(values, list):
        given: list[Any] = values  # pyright: ignore[reportUnknownVariableType]
        return [part for value in given for part in _parts(value)]
    return values


def _parts(value: Any) -> list[Any]:
    return [part for part in value.split(",") if part] if isinstance(value, str) else [value]


def _split_or_whole(values: Any) -> Any:
    """A slug may have commas of its own: each value stands for itself, then for its parts."""
    if isinstance(values, list):
        given: list[Any] = values  # pyright: ignore[reportUnknownVariableType]
        return [one for value in given for one in (value, *_parts(value)) if one]
    return values


Dependencies = Annotated[list[str], Field(max_length=DEPENDENCIES_MAX)]
Revision = Annotated[StrictInt, Field(ge=0)]
Weight = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Several = Annotated[list[str], BeforeValidator(_split)]
SeveralSlugs = Annotated[list[str], BeforeValidator(_split_or_whole)]


class CreateRequest(Request):
    """A document to be created. Without `id` one is minted; an empty `slug` becomes the id.

    With `parent` it becomes a child of that document, or is not created.
    """

    document_type: str
    id: str | None = None
    slug: str | None = Field(default=None, max_length=SLUG_CHARACTERS_MAX)
    name: str | None = None
    branch: str = DEFAULT_BRANCH
    timestamp: str | None = None
    initial_state: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    parent: str | None = None
    depends_on: Dependencies = Field(default_factory=list)


class ActionRequest(Request):
    """One action. Without `id` one is minted; without `timestamp` the reducer stamps it."""

    type: str = Field(min_length=1)
    input: Any
    scope: str = DEFAULT_SCOPE
    id: str | None = None
    timestamp: str | None = None
    context: dict[str, Any] | None = None


class SubmitRequest(Request):
    """Actions for one scope: all of them or none. `expected_revision` is the next index.

    It runs when the jobs of `depends_on` have ended, well or not.
    """

    actions: list[ActionRequest]
    branch: str = DEFAULT_BRANCH
    expected_revision: Revision | None = None
    depends_on: Dependencies = Field(default_factory=list)


class LoadedAction(Request):
    """An action that has its place elsewhere."""

    id: str
    type: str = Field(min_length=1)
    scope: str
    timestamp: str
    input: Any
    context: dict[str, Any] | None = None


class LoadedOperation(Request):
    """An operation as a history tells it. All but the action says how it stood there."""

    action: LoadedAction
    id: str | None = None
    index: Annotated[StrictInt, Field(ge=0)] | None = None
    skip: Annotated[StrictInt, Field(ge=0)] | None = None
    timestamp: str | None = None
    hash: str | None = None
    previous: str | None = None
    error: str | None = None
    version: Annotated[StrictInt, Field(ge=0)] | None = None


class LoadRequest(Request):
    """Operations of one scope from elsewhere. `source` names where they came from."""

    operations: list[LoadedOperation]
    branch: str = DEFAULT_BRANCH
    source: str | None = None
    depends_on: Dependencies = Field(default_factory=list)


class BatchedJob(Request):
    """A job of a batch: either `actions` or `operations`. `depends_on` names keys of the batch."""

    key: str = Field(min_length=1, max_length=KEY_CHARACTERS_MAX)
    document_id: str
    actions: list[ActionRequest] | None = None
    operations: list[LoadedOperation] | None = None
    depends_on: Dependencies = Field(default_factory=list)
    branch: str = DEFAULT_BRANCH
    expected_revision: Revision | None = None
    source: str | None = None


class BatchRequest(Request):
    """Jobs that are enqueued together or not at all, each after those that it waits for."""

    jobs: list[BatchedJob]


class UnrelateRequest(Request):
    """An edge of this type from the document to the target."""

    target_id: str
    type: str
    branch: str = DEFAULT_BRANCH


class RelateRequest(UnrelateRequest):
    """An edge and what is known about it. The target need not exist."""

    metadata: Any = None
    weight: Weight | None = None


class ChildrenRequest(Request):
    """The documents that the edges of type `child` lead to."""

    ids: list[str]
    branch: str = DEFAULT_BRANCH


class WaitQuery(Request):
    """How long a call waits for its job."""

    wait: Literal["write", "read"] | None = None
    timeout_ms: int = Field(default=TIMEOUT_DEFAULT_MS, ge=0, le=TIMEOUT_MAX_MS)


class DeleteQuery(WaitQuery):
    """Which branch of the document ends, and what ends with it, as reads with `token` show it."""

    branch: str = DEFAULT_BRANCH
    cascade: Cascade = "none"
    token: Several = Field(default_factory=list)


class VerifyQuery(Request):
    """How long it may take. `accept` what the present models give where only hashes differ."""

    timeout_ms: int = Field(default=TIMEOUT_MAX_MS, ge=0, le=TIMEOUT_MAX_MS)
    accept: bool = False


class TendQuery(Request):
    """How long it may take."""

    timeout_ms: int = Field(default=TIMEOUT_MAX_MS, ge=0, le=TIMEOUT_MAX_MS)


class TendPageQuery(TendQuery):
    """Which documents of a partition."""

    partition: int = Field(ge=0)
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = None


class VerifyPageQuery(VerifyQuery):
    """Which documents of a partition."""

    partition: int = Field(ge=0)
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = None


class UnrelateQuery(WaitQuery):
    """An edge to remove, for those who cannot send a body with a DELETE."""

    target_id: str | None = None
    type: str | None = None
    branch: str | None = None


class TokenQuery(Request):
    """What a read must at least show: every write whose `token` is given."""

    token: Several = Field(default_factory=list)
    timeout_ms: int = Field(default=TIMEOUT_DEFAULT_MS, ge=0, le=TIMEOUT_MAX_MS)


class ReadQuery(TokenQuery):
    """A read of one branch."""

    branch: str = DEFAULT_BRANCH


class PageQuery(ReadQuery):
    """Which page."""

    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)
    cursor: str | None = None
