"""What we say of aiokafka is what aiokafka is."""

from __future__ import annotations

import inspect

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.producer.message_accumulator import BatchBuilder

from docreactor.agents.log.clients import Admin, Batch, Consumer, Listener, Producer


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Consumer, AIOKafkaConsumer),
        (Producer, AIOKafkaProducer),
        (Admin, AIOKafkaAdminClient),
        (Batch, BatchBuilder),
    ],
)
def test_every_call_exists_with_the_arguments_that_we_name(ours: type, theirs: type) -> None:
    calls = {name: call for name, call in vars(ours).items() if inspect.isfunction(call)}
    for name, call in calls.items():
        if name.startswith("_"):
            continue
        found = inspect.signature(getattr(theirs, name)).parameters
        named = [
            parameter.name
            for parameter in inspect.signature(call).parameters.values()
            if parameter.kind is parameter.KEYWORD_ONLY
        ]
        assert set(named) <= set(found), f"{theirs.__name__}.{name}"
        assert inspect.iscoroutinefunction(call) == inspect.iscoroutinefunction(
            getattr(theirs, name)
        )


def test_our_listener_passes_for_one_of_theirs() -> None:
    assert issubclass(Listener, ConsumerRebalanceListener)
