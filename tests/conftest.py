"""Fixtures for every test: a real Kafka, and a name that no other test uses."""

from __future__ import annotations

pytest_plugins = ["tests.support.kafka"]
