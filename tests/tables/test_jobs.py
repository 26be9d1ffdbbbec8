"""Job results are found by id and go when their time is over."""

from __future__ import annotations

import pytest

from docreactor.pipeline.canonical import encode
from docreactor.pipeline.ids import IdMinter
from docreactor.pipeline.job import JobResult, JobStatus
from docreactor.tables.jobs import JobsTable
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Row, Store

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def jobs(store: Store) -> JobsTable:
    return JobsTable(store)


def _result(job_id: str) -> JobResult:
    return JobResult(
        id=job_id,
        document_id="d",
        scope="global",
        branch="main",
        status=JobStatus.WRITE_READY,
        token="t",
        error=None,
        retry_count=0,
        offset=4,
    )


def _stored(store: Store, jobs: JobsTable, at_ms: int, partition: int = 3) -> str:
    job_id = f"{IdMinter(lambda: at_ms, lambda bits: 1).mint()}-{partition}"
    row = jobs.row(job_id.encode(), encode(_result(job_id).model_dump()))
    store.write([row], {}, now_ms=at_ms)
    return job_id


def test_a_job_is_found_by_its_id(store: Store, jobs: JobsTable) -> None:
    job_id = _stored(store, jobs, NOW_MS)

    assert jobs.get(job_id) == _result(job_id)
    assert jobs.get("no such job") is None
    assert jobs.has(job_id)
    assert not jobs.has("no such job")


def test_a_tombstone_removes_a_job(store: Store, jobs: JobsTable) -> None:
    job_id = _stored(store, jobs, NOW_MS)
    store.write([jobs.row(job_id.encode(), None)], {}, now_ms=NOW_MS)

    assert jobs.get(job_id) is None


def test_jobs_past_their_retention_expire_the_oldest_first(store: Store, jobs: JobsTable) -> None:
    store.write([Row(b"h/x/global/main/", b"not a job")], {}, now_ms=1)
    ids = [_stored(store, jobs, NOW_MS - days * DAY_MS) for days in (9, 8, 6, 0)]

    assert jobs.expired_rows(NOW_MS, 7 * DAY_MS, 1) == [jobs.row(ids[0].encode(), None)]
    store.write(jobs.expired_rows(NOW_MS, 7 * DAY_MS, 100), {}, now_ms=NOW_MS)
    assert [jobs.get(job_id) is not None for job_id in ids] == [False, False, True, True]
    assert jobs.expired_rows(NOW_MS, 7 * DAY_MS, 100) == []


def test_a_job_expires_in_the_very_millisecond(store: Store, jobs: JobsTable) -> None:
    _stored(store, jobs, NOW_MS)

    assert len(jobs.expired_rows(NOW_MS + 1_000, 1_000, 9)) == 0
    assert len(jobs.expired_rows(NOW_MS + 1_001, 1_000, 9)) == 1


def test_nothing_expires_before_one_retention_has_passed_since_the_epoch(
    store: Store, jobs: JobsTable
) -> None:
    _stored(store, jobs, 5)

    assert jobs.expired_rows(10, 7 * DAY_MS, 9) == []


def test_a_documents_jobs_are_found_some_at_a_time(store: Store, jobs: JobsTable) -> None:
    mine: list[bytes] = []
    for number in range(25):
        job_id = _stored(store, jobs, NOW_MS + number)
        if number % 3:
            other = _result(job_id).model_copy(
                update={"document_id": "d2", "error": {"detail": '"document_id":"d"'}}
            )
            row = jobs.row(job_id.encode(), encode(other.model_dump()))
            store.write([row], {}, now_ms=1)
        else:
            mine.append(job_id.encode())

    found: list[bytes] = []
    slices = 0
    after: bytes | None = b""
    while after is not None:
        ids, after = jobs.of_document("d", after, 10)
        found += ids
        slices += 1

    assert found == mine
    assert slices == 3
