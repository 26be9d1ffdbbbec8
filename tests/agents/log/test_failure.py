"""aiokafka's errors become ours by what the caller is to do."""

from __future__ import annotations

import pytest
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerFenced,
    TopicAuthorizationFailedError,
)

from docreactor.agents.log.failure import (
    check_created,
    failing_as,
    in_our_words,
    is_moving,
    is_refusal,
)
from docreactor.pipeline.errors import FencedError, LogError

FENCING = [
    ProducerFenced,
    InvalidProducerEpoch,
    InvalidTxnState,
    InvalidProducerIdMapping,
    OutOfOrderSequenceNumber,
]


@pytest.mark.parametrize("kind", FENCING)
def test_a_producer_whose_rights_have_ended_is_fenced(kind: type[KafkaError]) -> None:
    with pytest.raises(FencedError, match="while sending: end this one"), failing_as("sending"):
        raise kind


@pytest.mark.parametrize("kind", FENCING)
def test_it_is_fenced_as_well_when_that_is_only_the_cause(kind: type[KafkaError]) -> None:
    with pytest.raises(FencedError), failing_as("sending"):
        try:
            raise kind
        except KafkaError as cause:
            raise KafkaError("Unexpected error during batch delivery") from cause


@pytest.mark.parametrize("error", [TimeoutError(), OSError(), KafkaConnectionError()])
def test_anything_else_may_be_tried_again(error: Exception) -> None:
    again = pytest.raises(LogError, match=r"^sending (took too long|failed).*try again")
    with again as raised, failing_as("sending"):
        raise error

    assert not isinstance(raised.value, FencedError)
    assert raised.value.__cause__ is error


def test_an_error_of_the_program_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), failing_as("sending"):
        raise ZeroDivisionError


def test_a_refusal_is_an_answer_about_the_batch() -> None:
    assert is_refusal(MessageSizeTooLargeError())
    assert is_refusal(TopicAuthorizationFailedError())
    assert not is_refusal(OutOfOrderSequenceNumber())
    assert not is_refusal(KafkaConnectionError())


def test_a_lost_connection_may_be_back_in_a_moment() -> None:
    assert is_moving(KafkaConnectionError())
    assert not is_moving(TopicAuthorizationFailedError())
    assert not is_moving(TimeoutError())


def test_a_topic_that_exists_is_no_failure_and_not_new() -> None:
    assert check_created("a", 0, None)
    assert not check_created("a", 36, "exists")
    with pytest.raises(LogError, match="topic a could not be created: no such value"):
        check_created("a", 40, "no such value")


def test_the_message_says_what_was_tried() -> None:
    assert (
        "opening a writer took too long" in in_our_words(TimeoutError(), "opening a writer").message
    )
