"""Records that were refused, kept with their cause."""

from __future__ import annotations

from docreactor.agents.log import Entry, LogRecord, TopicPartition
from docreactor.pipeline.errors import ReactorError
from docreactor.pipeline.record import HEADERS


def dead_letter(record: LogRecord, source: TopicPartition, error: ReactorError) -> Entry:
    """The record as it was, and headers that say what refused it and where it stood."""
    cause = (
        ("cause", error.name().encode()),
        ("detail", error.message.encode()),
        ("source-topic", source.topic.encode()),
        ("source-partition", str(source.partition).encode()),
        ("source-offset", str(record.offset).encode()),
    )
    return Entry(record.key, record.value, (*HEADERS, *cause))
