"""What aiokafka raises, in our words."""

# It carries no types.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from aiokafka.errors import (
    BrokerResponseError,
    CommitFailedError,
    ConsumerStoppedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    IllegalOperation,
    InconsistentGroupProtocolError,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidSessionTimeoutError,
    InvalidTxnState,
    KafkaError,
    MessageSizeTooLargeError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
    for_code,
)

from docreactor.agents.log import TopicPartition
from docreactor.pipeline.errors import FencedError, LogError

RAISED = (KafkaError, TimeoutError, OSError, ConsumerStoppedError, IllegalOperation)
"""All by which aiokafka's calls fail for a reason that lies outside the program."""

_FENCING = (
    ProducerFenced,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    OutOfOrderSequenceNumber,
)
_LASTING = (
    ConsumerStoppedError,
    CorruptRecordException,
    GroupAuthorizationFailedError,
    InconsistentGroupProtocolError,
    InvalidSessionTimeoutError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
)


def is_fencing(error: BaseException | None) -> bool:
    """Whether it, or what caused it, says that the producer's rights have ended."""
    while error is not None:
        if isinstance(error, _FENCING):
            return True
        error = error.__cause__
    return False


def is_refusal(error: BaseException) -> bool:
    """Whether a broker looked at a batch and did not take it."""
    return isinstance(error, BrokerResponseError) and not is_fencing(error)


def is_too_large(error: BaseException) -> bool:
    """Whether a batch was refused for its size."""
    return isinstance(error, MessageSizeTooLargeError)


def is_moving(error: BaseException) -> bool:
    """Whether the same request may well be answered a moment later."""
    return isinstance(error, KafkaError) and error.retriable


def is_lasting(error: BaseException) -> bool:
    """Whether a fetch that failed with it will fail again."""
    return isinstance(error, _LASTING)


def is_without_position(error: BaseException) -> bool:
    """Whether a fetch failed in the moment between an assignment and the first seek."""
    return isinstance(error, NoOffsetForPartitionError)


def has_members(error: BaseException | None) -> bool:
    """Whether offsets were refused because the group has members."""
    return isinstance(error, CommitFailedError)


def out_of_range(error: BaseException) -> tuple[TopicPartition, int] | None:
    """The position that the log does not hold, if that is what it says."""
    if not isinstance(error, OffsetOutOfRangeError):
        return None
    positions: dict[tuple[str, int], int] = error.args[0]
    (topic, partition), offset = next(iter(positions.items()))
    return TopicPartition(topic, partition), offset


def check_created(topic: str, code: int, reason: str | None) -> bool:
    """Whether a topic is new, False if it was there; LogError for any other answer."""
    error = for_code(code)
    if code and error is not TopicAlreadyExistsError:
        raise LogError(f"topic {topic} could not be created: {reason or error.__name__}")
    return not code


def in_our_words(error: BaseException, doing: str) -> LogError:
    """The LogError that stands for it. `doing` says what was tried, as in `opening a writer`."""
    if is_fencing(error):
        return FencedError(f"another process took over, found while {doing}: end this one")
    if isinstance(error, TimeoutError):
        return LogError(f"{doing} took too long, Kafka does not answer: try again")
    return LogError(f"{doing} failed, try again: {error!r}")


@contextmanager
def failing_as(doing: str) -> Generator[None]:
    """Raise what aiokafka raises inside as a LogError."""
    try:
        yield
    except RAISED as error:
        raise in_our_words(error, doing) from error
