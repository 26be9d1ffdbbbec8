"""To test a model in milliseconds, without a Kafka, and what the write cache stands on."""

from docreactor.gateway.testing import create_test_write_cache, play, reactor
from docreactor.tables.key_value_contract import KeyValueContract

__all__ = ["KeyValueContract", "create_test_write_cache", "play", "reactor"]
