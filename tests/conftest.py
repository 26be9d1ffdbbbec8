"""Fixtures for every test: a real Kafka, and a name that no other test uses."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run in the background of a shell ignores SIGINT, and so would every process that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.support.kafka", "tests.support.seeds"]
