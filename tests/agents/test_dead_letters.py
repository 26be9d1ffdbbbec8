"""Records that were refused."""

import pytest

from docreactor.agents.dead_letters import dead_letter
from docreactor.agents.log import LogRecord, TopicPartition
from docreactor.agents.log.memory_partition import MemoryRecord
from docreactor.pipeline.errors import UndecodableRecordError
from docreactor.pipeline.record import FORMAT_HEADER, FORMAT_VERSION

SOURCE = TopicPartition("app.actions", 3)
ERROR = UndecodableRecordError("id: missing, à la carte")


def _record(key: bytes | None, value: bytes | None) -> LogRecord:
    return MemoryRecord(17, key, value, (("v", b"99"),), 1_000, None)


@pytest.mark.parametrize(("key", "value"), [(b"d1", b"{"), (None, None)])
def test_a_letter_is_the_record_as_it_was(key: bytes | None, value: bytes | None) -> None:
    letter = dead_letter(_record(key, value), SOURCE, ERROR)
    assert (letter.key, letter.value) == (key, value)


def test_its_headers_say_what_refused_it_and_where_it_stood() -> None:
    letter = dead_letter(_record(b"d1", b"{"), SOURCE, ERROR)
    assert dict(letter.headers) == {
        FORMAT_HEADER: FORMAT_VERSION,
        "cause": b"UndecodableRecord",
        "detail": "id: missing, à la carte".encode(),
        "source-topic": b"app.actions",
        "source-partition": b"3",
        "source-offset": b"17",
    }
