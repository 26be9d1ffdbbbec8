"""To test a model in milliseconds, without a Kafka."""

from docreactor.gateway.testing import play, reactor

__all__ = ["play", "reactor"]
