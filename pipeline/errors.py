"""Every way this can fail: one tree, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from docreactor.pipeline.job import JobResult


class ReactorError(Exception):
    """The root. `status` is the HTTP status, `facts` the fields of the problem document."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, /, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts: dict[str, Any] = facts

    @classmethod
    def name(cls) -> str:
        """The class's name without the suffix `Error`: the last part of the problem's type."""
        return cls.__name__.removesuffix("Error")


# What a caller asked for and cannot have.


class InvalidInputError(ReactorError):
    """A field of the request is not what it must be. Correct the field."""

    status = 422

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", field=field, reason=reason)


class InvalidOperationTimestampError(ReactorError):
    """A timestamp is no UTC instant, lies too far ahead, or is not after its stream's newest."""

    status = 422

    def __init__(self, timestamp: str, reason: str = "") -> None:
        reason = reason or "must be YYYY-MM-DDThh:mm:ss[.ffffff]Z"
        super().__init__(f"timestamp {timestamp!r} {reason}", timestamp=timestamp, reason=reason)


class InvalidTokenError(ReactorError):
    """The text is no consistency token. Pass one back exactly as a reply gave it."""

    status = 422

    def __init__(self, token: str) -> None:
        super().__init__("not a consistency token; pass one as a reply gave it", token=token[:100])


class TokenOfAnotherLogError(ReactorError):
    """The token was given by another deployment. Drop it, or ask that deployment."""

    status = 409

    def __init__(self, *, expected: str, actual: str) -> None:
        super().__init__(
            "this token belongs to another log: drop it, or ask the deployment that gave it",
            expected=expected,
            actual=actual,
        )


class UnknownModelError(ReactorError):
    """No model of this document type and version is loaded. Start with --models naming it."""

    status = 422

    def __init__(self, document_type: str, version: int | None = None) -> None:
        which = document_type if version is None else f"{document_type} version {version}"
        super().__init__(
            f"no model {which} is loaded: name it with --models, or install its package",
            model=which,
        )


class UnknownActionError(ReactorError):
    """The model has no action of this type in this scope. GET /v1/models lists what it has."""

    status = 422

    def __init__(self, document_type: str, action_type: str, scope: str) -> None:
        super().__init__(
            f"{document_type} has no action {action_type} in scope {scope}: see GET /v1/models",
            document_type=document_type,
            action_type=action_type,
            scope=scope,
        )


class TooLargeError(ReactorError):
    """Something is over a size limit; the message names the limit. Send less at a time."""

    status = 413

    def __init__(self, what: str, *, limit: int, actual: int | None = None) -> None:
        size = "" if actual is None else f" of {actual}"
        super().__init__(f"{what}{size} is over the limit {limit}", limit=limit, actual=actual)


class DocumentTooLargeError(ReactorError):
    """A scope's state would be over the limit: the operation is stored with this error."""

    status = 422

    def __init__(self, *, limit: int, actual: int) -> None:
        super().__init__(f"a state of {actual} bytes is over {limit}", limit=limit, actual=actual)


class DocumentNotFoundError(ReactorError):
    """No such document on this branch. Create it first."""

    status = 404

    def __init__(self, document_id: str, branch: str = "main") -> None:
        super().__init__(
            f"no document {document_id} on branch {branch}: create it first",
            document_id=document_id,
            branch=branch,
        )


class DocumentAlreadyExistsError(ReactorError):
    """The document exists on this branch. Submit actions to it, or take another id."""

    status = 409

    def __init__(self, document_id: str, branch: str) -> None:
        super().__init__(
            f"document {document_id} exists on branch {branch}: submit actions to it",
            document_id=document_id,
            branch=branch,
        )


class DocumentDeletedError(ReactorError):
    """The document was deleted. Its history stays readable; it takes no further mutation."""

    status = 410

    def __init__(self, document_id: str, deleted_at: str | None) -> None:
        super().__init__(
            f"document {document_id} was deleted at {deleted_at}",
            document_id=document_id,
            deleted_at=deleted_at,
        )


class DocumentErasedError(ReactorError):
    """The document was erased. Its id is never used again: take another."""

    status = 410

    def __init__(self, document_id: str, erased_at: str) -> None:
        super().__init__(
            f"document {document_id} was erased at {erased_at}: its id is never used again",
            document_id=document_id,
            erased_at=erased_at,
        )


class RevisionMismatchError(ReactorError):
    """The stream has moved on. Read it again and decide anew."""

    status = 409

    def __init__(
        self,
        *,
        expected: int,
        actual: int,
        expected_hash: str | None = None,
        actual_hash: str | None = None,
    ) -> None:
        hashes = f" with hash {expected_hash}" if expected_hash else ""
        found = f" with hash {actual_hash}" if actual_hash is not None else ""
        super().__init__(
            f"expected revision {expected}{hashes}, the stream is at {actual}{found}: "
            "read it again",
            expected=expected,
            actual=actual,
            **({} if expected_hash is None else {"expected_hash": expected_hash}),
            **({} if actual_hash is None else {"actual_hash": actual_hash}),
        )


class DowngradeNotSupportedError(ReactorError):
    """A document does not go back to an earlier version of its model."""

    status = 409

    def __init__(self, document_type: str, *, from_version: int, to_version: int) -> None:
        super().__init__(
            f"{document_type} does not go back from version {from_version} to {to_version}",
            document_type=document_type,
            from_version=from_version,
            to_version=to_version,
        )


class UpgradeFailedError(ReactorError):
    """A transition of a model raised, or gave no state. Mend the model."""

    status = 422

    def __init__(
        self, document_type: str, *, to_version: int, scope: str, cause: Exception
    ) -> None:
        name = cause.name() if isinstance(cause, ReactorError) else type(cause).__name__
        super().__init__(
            f"the upgrade of {document_type} to version {to_version} failed in scope {scope}: "
            f"{name}: {cause}",
            document_type=document_type,
            to_version=to_version,
            scope=scope,
        )


class UpgradePreconditionFailedError(ReactorError):
    """The document is not what the upgrade was made for. Read it again and decide anew."""

    status = 409

    def __init__(self, document_id: str, *, what: str, expected: int, actual: int) -> None:
        super().__init__(
            f"document {document_id}: {what} is {actual}, the upgrade is for {expected}: "
            "read it again",
            document_id=document_id,
            what=what,
            expected=expected,
            actual=actual,
        )


class UnsupportedActionError(ReactorError):
    """An action type that is known and refused. The message says what to do instead."""

    status = 422

    def __init__(self, action_type: str, reason: str) -> None:
        super().__init__(f"{action_type} is not supported: {reason}", action_type=action_type)


class NothingToUndoError(ReactorError):
    """No operation of the stream is left to be undone."""

    status = 409

    def __init__(self, scope: str) -> None:
        super().__init__(f"nothing in scope {scope} is left to be undone", scope=scope)


class NothingToRedoError(ReactorError):
    """No undo of the stream is left to be taken back."""

    status = 409

    def __init__(self, scope: str) -> None:
        super().__init__(f"no undo in scope {scope} is left to be taken back", scope=scope)


class ExcessiveReshuffleError(ReactorError):
    """Placing a job would move too many operations. Raise reshuffle_rows_max and try again."""

    status = 409

    def __init__(self, *, count: int, max: int) -> None:
        super().__init__(
            f"placing the job moves {count} operations or more, and at most {max} may be moved: "
            "raise DOCREACTOR_RESHUFFLE_ROWS_MAX and try again",
            count=count,
            max=max,
        )


class RevisionNotFoundError(ReactorError):
    """The stream has no such index yet. The message names the head."""

    status = 404

    def __init__(self, scope: str, index: int, *, head: int) -> None:
        super().__init__(
            f"{scope} has no index {index}: its head is {head}", scope=scope, index=index, head=head
        )


class ActionIdConflictError(ReactorError):
    """The action id is known with other content. Use a new id for a new action."""

    status = 409

    def __init__(self, action_id: str) -> None:
        super().__init__(
            f"action {action_id} is known with other content: use a new id", action_id=action_id
        )


class AmbiguousIdentifierError(ReactorError):
    """The text is one document's id and another's slug. Ask by ?ids= or ?slugs=."""

    status = 409

    def __init__(self, identifier: str, document_ids: list[str]) -> None:
        super().__init__(
            f"{identifier} names several documents: ask by ?ids= or ?slugs=",
            document_ids=document_ids,
        )


class JobNotFoundError(ReactorError):
    """No such job, or it is past its retention."""

    status = 404

    def __init__(self, job_id: str) -> None:
        super().__init__(f"no job {job_id}, or it is past its retention", job_id=job_id)


class JobNotReadyError(ReactorError):
    """The job did not get there in time; it goes on. Ask again with its id."""

    status = 504

    def __init__(self, job: JobResult, wanted: str) -> None:
        super().__init__(
            f"job {job.id} is not {wanted} yet: ask again", job=job.model_dump(mode="json")
        )
        self.job = job


class JobCancelledError(ReactorError):
    """Somebody cancelled the job while it was deferred: it stored nothing."""

    status = 409

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} was cancelled before it ran", job_id=job_id)


class JobNotCancellableError(ReactorError):
    """Only a deferred job can be cancelled; this one is not, or not any more."""

    status = 409

    def __init__(self, job_id: str, job_status: str | None = None) -> None:
        known = "" if job_status is None else f" but {job_status}"
        super().__init__(
            f"job {job_id} is not deferred{known}: only a deferred job can be cancelled",
            job_id=job_id,
            job_status=job_status,
        )


class DependencyTimeoutError(ReactorError):
    """What a deferred job waited for did not come in time; it stored nothing. Submit it again."""

    status = 504

    def __init__(self, waits_for: Sequence[str], *, timeout_ms: int) -> None:
        super().__init__(
            f"{', '.join(waits_for)} did not come within {timeout_ms} ms: submit the job again",
            waits_for=list(waits_for),
            timeout_ms=timeout_ms,
        )


class TooManyDeferredError(ReactorError):
    """The partition has as many jobs that wait as it may; this one would too. Try again later."""

    status = 429

    def __init__(self, *, count: int, count_max: int) -> None:
        super().__init__(
            f"{count} jobs wait for others or for their document, of {count_max} at most: "
            "submit the job again when some have ended",
            count=count,
            max=count_max,
        )


class DuplicateKeyError(ReactorError):
    """Two jobs of a batch have one key. Give each its own."""

    status = 422

    def __init__(self, key: str) -> None:
        super().__init__(f"several jobs have the key {key}: give each its own", key=key)


class UnknownDependencyError(ReactorError):
    """A job of a batch depends on a key that no job of the batch has. Correct the key."""

    status = 422

    def __init__(self, key: str, dependency: str) -> None:
        super().__init__(
            f"job {key} depends on {dependency}, which is no key of this batch",
            key=key,
            dependency=dependency,
        )


class DependencyCycleError(ReactorError):
    """Jobs of a batch wait for each other, or one for itself. Drop one of the dependencies."""

    status = 422

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(
            f"these jobs wait for each other: {' -> '.join(keys)}", key=keys[0], keys=list(keys)
        )


class NotYetVisibleError(ReactorError):
    """The table has not reached the wanted position. Wait, or ask another node."""

    status = 504

    def __init__(self, *, wanted: str, reached: str) -> None:
        super().__init__("the write is not visible here yet", wanted=wanted, reached=reached)


class UnknownReadModelError(ReactorError):
    """No worker of the deployment has run a read model of this name. Use one that is listed."""

    status = 404

    def __init__(self, name: str, known: Sequence[str]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(
            f"there is no read model {name}; there are: {listed}", name=name, known=list(known)
        )


class NothingToRollBackError(ReactorError):
    """No generation before the serving one is kept."""

    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no generation of {name} before the present one is kept: rebuild it", name=name
        )


class RebuildUnfinishedError(ReactorError):
    """The generation that is to serve does not do so everywhere yet. Wait, or roll back."""

    status = 409

    def __init__(self, name: str, generation: int) -> None:
        super().__init__(
            f"generation {generation} of {name} does not serve everywhere yet: wait until it does, "
            "or roll back",
            name=name,
            generation=generation,
        )


class ReadModelNotRetirableError(ReactorError):
    """The platform's own read models always run."""

    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is a read model of the platform and stays", name=name)


class UnauthorizedError(ReactorError):
    """The bearer token is missing or wrong. Send Authorization: Bearer <DOCREACTOR_HTTP_TOKEN>."""

    status = 401

    def __init__(self) -> None:
        super().__init__("send Authorization: Bearer with the deployment's token")


class TooBusyError(ReactorError):
    """The partition's backlog is over its bound. Try again after `retry_after_s`."""

    status = 429

    def __init__(self, *, backlog: int, limit: int) -> None:
        super().__init__(f"{backlog} records wait, over {limit}", backlog=backlog, limit=limit)


class RestoringError(ReactorError):
    """Nobody can answer for this partition, or this node, at the moment. Try again shortly."""

    status = 503

    def __init__(self, partition: int | None, *, state: str, progress: float | None = None) -> None:
        who = "this node" if partition is None else f"partition {partition}"
        super().__init__(
            f"{who} is {state}: try again shortly",
            partition=partition,
            state=state,
            progress=progress,
        )


class ShuttingDownError(ReactorError):
    """This node stops and takes nothing new. Ask again: another one takes over."""

    status = 503

    def __init__(self) -> None:
        super().__init__("this node stops: ask again, another one takes over")


class UnknownRouteError(ReactorError):
    """Nothing answers at this path. /docs lists what does."""

    status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"nothing answers at {path}: see /docs", path=path)


class MethodNotAllowedError(ReactorError):
    """The path exists and does not take this method. /docs lists those that it takes."""

    status = 405

    def __init__(self, method: str, path: str, *, allow: str) -> None:
        super().__init__(
            f"{path} takes {allow}, not {method}: see /docs", method=method, path=path, allow=allow
        )


class UnexpectedError(ReactorError):
    """Something failed that nobody foresaw. The server's log tells of it under `request_id`."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"something unforeseen failed: look for {request_id} in the server's log",
            request_id=request_id,
        )


class ServerUnreachableError(ReactorError):
    """No reactor answers at the address. Start one, or correct --url or DOCREACTOR_URL."""

    status = 503

    def __init__(self, url: str, cause: str) -> None:
        super().__init__(
            f"no reactor answers at {url} ({cause}): start one with docreactor up, or correct "
            "--url or DOCREACTOR_URL",
            url=url,
        )


class ClientClosedError(ReactorError):
    """The client or the session was closed while the call was under way, or before. Open another.

    What became of a change that was under way is not known: ask for it with its Idempotency-Key.
    """

    def __init__(self, url: str) -> None:
        super().__init__(f"the client of {url} was closed: open another one", url=url)


# What a model did.


class ReducerTimeoutError(ReactorError):
    """A reducer ran longer than it may; the job stored nothing. Mend the model."""

    status = 422

    def __init__(self, action_type: str, timeout_ms: int) -> None:
        super().__init__(
            f"the reducer of {action_type} ran over {timeout_ms} ms", action_type=action_type
        )


class ReducerTooDeepError(ReactorError):
    """A reducer called itself deeper than Python goes; the job stored nothing. Mend the model."""

    status = 422

    def __init__(self, action_type: str) -> None:
        super().__init__(
            f"the reducer of {action_type} calls itself too deep: use a loop",
            action_type=action_type,
        )


class WorkerKilledError(ReactorError):
    """Running this job alone ended the worker's process. It waits among the dead letters."""

    status = 500

    def __init__(self, job_id: str) -> None:
        super().__init__(f"running job {job_id} ended the worker", job_id=job_id)


class ImpureReducerError(ReactorError):
    """A reducer gave two answers to one question. It must use its arguments alone."""

    status = 422

    def __init__(self, action_type: str) -> None:
        super().__init__(f"the reducer of {action_type} is not pure: it gave two results")


class InvalidStateError(ReactorError):
    """A reducer's result is no state of its model. Mend the reducer, or refuse the input."""

    status = 422

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}", where=where, reason=reason)


class InvalidModelError(ReactorError):
    """A model's definition cannot work; the message says which part and why."""

    status = 422


class ModelNotLoadedError(ReactorError):
    """What --models named could not be imported or holds no model."""

    status = 422


class ReadModelFailedError(ReactorError):
    """A read model's code raised at a document, which it sets aside. Mend it, then retry."""

    def __init__(self, model: str, document_id: str, cause: str, **facts: Any) -> None:
        super().__init__(
            f"read model {model} at document {document_id}: {cause}; mend it and give it a higher "
            "version, or retry the document",
            model=model,
            document_id=document_id,
            cause=cause,
            **facts,
        )


class SeveralFailedError(ReactorError):
    """More than one thing failed at once: `causes` are the problems, each with its own name."""

    def __init__(self, what: str, causes: Sequence[dict[str, Any]]) -> None:
        super().__init__(f"{what}: {len(causes)} failed, see causes", causes=list(causes))


# What the log, the tables or the place did.


class CorruptHistoryError(ReactorError):
    """A stored history breaks its own rule. Stop: run docreactor verify."""


class HashMismatchError(ReactorError):
    """Replaying gave another state than was recorded: give the model a new version."""

    def __init__(self, document_id: str, *, key: str, expected: str, actual: str) -> None:
        super().__init__(
            f"{key}: the model gives state {actual}, recorded is {expected}; give the model a "
            "new version, or accept with docreactor verify --accept",
            document_id=document_id,
            expected=expected,
            actual=actual,
        )


class UnknownFormatError(ReactorError):
    """A record carries a format version that this program does not know. Upgrade it."""

    def __init__(self, where: str, version: str) -> None:
        super().__init__(f"{where}: format version {version} is unknown: upgrade docreactor")


class UndecodableRecordError(ReactorError):
    """A record is not what its topic carries."""


class LogError(ReactorError):
    """The log could not do what was asked."""

    status = 503


class BrokerUnreachableError(LogError):
    """No Kafka answers at the address. Start one, or correct DOCREACTOR_BROKER."""

    def __init__(self, address: str, *, waited_s: float) -> None:
        super().__init__(
            f"no Kafka answers at {address} after {waited_s:g} s: "
            "start it, or correct DOCREACTOR_BROKER",
            address=address,
        )


class RecordRefusedError(LogError):
    """The broker refused a batch of a transaction: nothing of the transaction stands."""

    def __init__(self, topic: str, partition: int, cause: str) -> None:
        super().__init__(f"{topic}-{partition} refused: {cause}", topic=topic, cause=cause)


class FencedError(LogError):
    """Another process took over. End this one: it may write nothing more."""


class TopicsDifferError(LogError):
    """Topics on the cluster are not as declared; the message names each difference."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__(
            "the cluster's topics are not as declared: "
            + "; ".join(differences)
            + ". Correct the topics or the settings; nothing was changed",
            differences=differences,
        )


class TopicsMissingError(LogError):
    """Topics do not exist. Run docreactor topics create."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(
            f"missing topics {', '.join(names)}: run docreactor topics create", names=names
        )


class LogIdMissingError(LogError):
    """The positions topic carries no log id. Run docreactor topics create."""


class OffsetsLostError(LogError):
    """The group has no offset although operations exist. Set it with docreactor offsets set."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(
            f"no committed offset for {topic}-{partition}, although operations exist: "
            f"docreactor offsets set --partition {partition} --to OFFSET",
            topic=topic,
            partition=partition,
        )


class ActionsLostError(LogError):
    """The committed offset lies below the log's start: actions were deleted unread."""

    def __init__(self, topic: str, partition: int, *, committed: int, start: int) -> None:
        super().__init__(
            f"{topic}-{partition}: committed {committed}, but the log starts at {start}; what lay "
            f"between is gone. Accept with docreactor offsets set --partition {partition} "
            f"--to {start}",
            topic=topic,
            partition=partition,
            committed=committed,
            start=start,
        )


class OffsetOutOfRangeError(LogError):
    """The log does not hold this offset. Read from its start, or set the group's offset."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        super().__init__(
            f"{topic}-{partition} does not hold offset {offset}: read from its start, or use "
            "docreactor offsets set",
            topic=topic,
            partition=partition,
            offset=offset,
        )


class GroupHasMembersError(LogError):
    """The group's offsets cannot be set while it has members. Stop every worker first."""

    status = 409

    def __init__(self, group: str) -> None:
        super().__init__(f"group {group} has members: stop every worker first", group=group)


class MemberIdTakenError(LogError):
    """Two processes run with one DOCREACTOR_MEMBER_ID. Give each its own, or none."""


class StoreLockedError(ReactorError):
    """Another process has the table open. Give each worker a data directory of its own."""


class StoreClosedError(ReactorError):
    """The store was closed: its partition went elsewhere. Ask for the partition again."""

    status = 503


class StoreFailedError(ReactorError):
    """The disk refused, or a file is damaged. Mend the place, or remove the table to rebuild it."""

    status = 503


class RowsLostError(ReactorError):
    """Rows of a read model are gone that were shown already. The partition begins anew."""

    status = 503

    def __init__(self, name: str, partition: int) -> None:
        super().__init__(
            f"rows of {name} in partition {partition} are gone that were shown already: "
            "they are restored",
            name=name,
            partition=partition,
        )


NOT_OF_THE_JOB = (UnknownModelError, StoreClosedError, StoreFailedError)
"""What says nothing about the job that is being decided: it must not end by it."""


class InvalidSettingError(ReactorError):
    """A setting cannot be what it is. Correct it; docreactor settings lists them all."""

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}: see docreactor settings", setting=setting)


class AddressInUseError(ReactorError):
    """HTTP cannot listen there. Choose another --port, or 0 for a free one."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"cannot listen on {host} port {port}: {reason}; choose another --port, or 0 for a "
            "free one",
            host=host,
            port=port,
        )


class WorkerFailingError(ReactorError):
    """A worker ends again and again although the broker answers. Cure what it names."""

    def __init__(self, worker: int, *, exits: int, reason: str, log: str) -> None:
        super().__init__(
            f"worker {worker} ended {exits} times in short order, the last time by {reason}; "
            f"see {log}",
            worker=worker,
            reason=reason,
            log=log,
        )


class TokenRequiredError(ReactorError):
    """HTTP would listen beyond this machine without a token. Set DOCREACTOR_HTTP_TOKEN."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} is reachable from other machines: set DOCREACTOR_HTTP_TOKEN, or listen on "
            "127.0.0.1",
            host=host,
        )


# What the development broker needs and cannot have.


class NoJavaError(ReactorError):
    """No Java 17 or newer is here. Install one, or install docreactor[jdk]."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "the development broker needs Java 17 or newer and found "
            f"{found}: install one, set JAVA_HOME, or run: pip install 'docreactor[jdk]'",
            found=found,
        )


class KafkaNotAvailableError(ReactorError):
    """Kafka's jars are neither here nor to be had. Connect once, or set DOCREACTOR_BROKER."""

    def __init__(self, *, missing: int, directory: str, cause: str) -> None:
        super().__init__(
            f"{missing} of Kafka's jars are not in {directory} and could not be fetched "
            f"({cause}): connect to the network once, or set DOCREACTOR_BROKER to a Kafka",
            missing=missing,
            directory=directory,
            cause=cause,
        )


class TamperedJarError(ReactorError):
    """A jar is not the one on the committed list. Delete it; the right one is fetched again."""

    def __init__(self, jar: str, *, path: str, reason: str) -> None:
        super().__init__(
            f"{jar} is refused: {reason}; delete it and start again: {path}", jar=jar, path=path
        )


class BrokerDidNotStartError(ReactorError):
    """The development broker ended, or was not ready in time. Its log says why."""

    def __init__(self, reason: str, *, log: str) -> None:
        super().__init__(f"the development broker did not start: {reason}; see {log}", log=log)


class BrokerInUseError(ReactorError):
    """The development broker serves other processes. Stop them first, or use --force."""

    status = 409

    def __init__(self, pids: tuple[int, ...]) -> None:
        super().__init__(
            f"processes {', '.join(map(str, pids))} use the development broker: "
            "stop them first, or use --force",
            pids=list(pids),
        )


class BrokerBusyError(ReactorError):
    """Another process holds the development broker's lock. Wait for it, or end it."""

    status = 409

    def __init__(self, lock: str, *, waited_s: float) -> None:
        super().__init__(
            f"another process has held {lock} for {waited_s:g} s: wait for it, or end it",
            lock=lock,
        )


# What export and import need and cannot have.


class DeploymentNotEmptyError(ReactorError):
    """An import goes into a deployment that holds nothing. Name another app, or go on with it."""

    status = 409

    def __init__(self, app: str, reason: str) -> None:
        super().__init__(
            f"deployment {app} is not empty: {reason}. Import under another --app, before its "
            "first worker starts",
            app=app,
        )


class InvalidBackupError(ReactorError):
    """A line of a backup is not what a backup holds. Nothing is imported of it."""

    status = 422

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(f"{path}, line {line}: {reason}", line=line)


class ExportOvertakenError(ReactorError):
    """Documents were erased and compacted away while they were exported. Export again."""

    status = 409

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(
            f"{expected} operations were counted and {actual} read: documents were erased in "
            "between; export again",
            expected=expected,
            actual=actual,
        )


# What the git import and the demo need and cannot have.


class GitMissingError(ReactorError):
    """There is no `git` program here. Install git, or put it on PATH."""

    def __init__(self) -> None:
        super().__init__("there is no git program on PATH: install git")


class GitFailedError(ReactorError):
    """Git refused or broke off. Its own words say why."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"git {what}: {reason}", reason=reason)
        self.reason = reason


class NotARepositoryError(ReactorError):
    """The folder belongs to no git repository that can be read. Name one that does."""

    status = 422

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"{path} is not in a git repository that can be read ({reason}): name one that is",
            path=path,
            reason=reason,
        )


class EmptyHistoryError(ReactorError):
    """The repository has no commit yet. Commit something first, or name another."""

    status = 422

    def __init__(self, path: str) -> None:
        super().__init__(
            f"the repository of {path} has no commit: commit first, or name another", path=path
        )


class ShallowHistoryError(ReactorError):
    """The clone holds the end of its history only. Fetch the rest first."""

    status = 422

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} is a shallow clone, its ids would change with the rest of its history: "
            "run git fetch --unshallow",
            path=path,
        )


class DeploymentDidNotStartError(ReactorError):
    """What the demo started ended, or was not ready in time. Its own last words say why."""

    def __init__(self, reason: str, *, said: str) -> None:
        super().__init__(f"docreactor up {reason}: {said or 'it said nothing'}", said=said)


class BenchDataMissingError(ReactorError):
    """The recorded edits that are measured with are not here. Get the file and name its folder."""

    def __init__(self, variable: str, file: str, directory: str | None) -> None:
        where = f"{variable} is not set" if directory is None else f"{directory} has no {file}"
        super().__init__(
            f"{where}: get {file} from github.com/josephg/editing-traces, folder "
            f"sequential_traces, and set {variable} to the folder that holds it",
            file=file,
            directory=directory,
        )


class MeasurementFailedError(ReactorError):
    """What was to be measured went wrong, so there is no figure. The message says what."""


# What a walk over the graph cannot have.


class WalkTooLongError(ReactorError):
    """The walk met more documents than a walk may. Name the types, or raise the setting."""

    status = 422

    def __init__(self, document_id: str, *, limit: int) -> None:
        super().__init__(
            f"from {document_id} on more than {limit} documents were met: name the types of "
            "relationships to follow, or raise DOCREACTOR_GRAPH_DOCUMENTS_MAX",
            document_id=document_id,
            limit=limit,
        )


# What a program does with events.


class CallbackFailedError(ReactorError):
    """A callback for an event raised. The cause says what; go on behind `event["cursor"]`."""

    def __init__(
        self, *, event_type: str, subscription_id: str, event: dict[str, Any], cause: Exception
    ) -> None:
        super().__init__(
            f"subscription {subscription_id} failed: {type(cause).__name__}: {cause}",
            event_type=event_type,
            subscription_id=subscription_id,
            event=event,
        )
