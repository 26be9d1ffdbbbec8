"""An import brings everything back, once, into any number of partitions, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.agents import importer
from docreactor.agents.log import Entry, Isolation, TopicPartition
from docreactor.agents.topics import create_topics
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.errors import (
    DeploymentNotEmptyError,
    FencedError,
    GroupHasMembersError,
    InvalidBackupError,
    LogError,
)
from docreactor.pipeline.keys import partition_for
from docreactor.pipeline.position import Offset
from tests.agents.backups import IDS, elsewhere, exported, imported, told, write_to
from tests.agents.log.following import Following
from tests.support.nodes import Site, done, operations, site, total
from tests.support.steps import Death, Killed, Steps

TIME = "2026-01-02T03:04:05.000006Z"
ERASED = Erased("gone", TIME)


@pytest.fixture
async def origin() -> Site:
    """Ledgers on one partition."""
    place = site()
    await write_to(place)
    return place


@pytest.fixture
async def backup(origin: Site, tmp_path: Path) -> Path:
    """What was exported of them, and of a document that was erased."""
    await origin.write(origin.topics.operations, Entry(erased_key("gone"), ERASED.encode()))
    path = tmp_path / "b.jsonl.gz"
    await exported(origin, path)
    return path


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many transactions, of few records each."""
    monkeypatch.setattr(importer, "_RECORDS_AT_ONCE", 4)


def stored(place: Site) -> list[list[tuple[bytes | None, bytes | None]]]:
    """The committed records of every partition of operations."""
    found: list[list[tuple[bytes | None, bytes | None]]] = []
    for number in range(place.settings.partitions):
        partition = place.cluster.partition(TopicPartition(place.topics.operations, number))
        records, _ = partition.read(Offset(0), count_max=10_000, isolation=Isolation.COMMITTED)
        found.append([(record.key, record.value) for record in records])
    return found


def key_of(document_id: str, place: Site) -> int:
    return partition_for(document_id, place.settings.partitions)


@pytest.mark.parametrize("partitions", [1, 5])
async def test_documents_histories_and_hashes_are_the_same_elsewhere(
    origin: Site, backup: Path, partitions: int
) -> None:
    place = elsewhere(partitions)

    brought = await imported(place, backup)

    assert (brought.records, brought.found) == (5 * len(IDS) + 1, 0)
    assert await told(place) == await told(origin)


async def test_every_record_lies_in_the_partition_of_its_document(backup: Path) -> None:
    place = elsewhere(5)

    await imported(place, backup)

    for number, records in enumerate(stored(place)):
        assert {key_of((key or b"").decode().split("/")[0], place) for key, _ in records} <= {
            number
        }
    assert sum(map(len, stored(place))) == 5 * len(IDS) + 1


async def test_what_was_erased_stays_erased(backup: Path) -> None:
    place = elsewhere(5)

    await imported(place, backup)

    assert (b"gone/", ERASED.encode()) in stored(place)[key_of("gone", place)]


async def test_a_worker_goes_on_writing_where_the_import_ended(backup: Path) -> None:
    place = elsewhere(1)
    await imported(place, backup)

    async with place.node() as node:
        await done(node, place.job(IDS[0], [("ADD", {"amount": 5})], ids=["new"]))

        assert [one.index for one in operations(node, IDS[0])] == [0, 1, 2, 3]
        assert await total(node, IDS[0]) == 8


async def test_keyframes_are_not_brought(backup: Path) -> None:
    place = elsewhere(1)

    await imported(place, backup)

    assert place.records(place.topics.keyframes) == []


async def test_an_import_broken_off_at_any_step_is_completed_by_the_next(backup: Path) -> None:
    clean, whole = Steps(), elsewhere(2)
    await imported(whole, backup, whole.log(clean))
    assert clean.taken.count("commit") > 8

    for step in dict.fromkeys(clean.taken):
        for number in range(1, clean.taken.count(step) + 1, 3):
            place = elsewhere(2)
            with pytest.raises(Killed):
                await imported(place, backup, place.log(Death(step, number)))
            assert place.committed() is None, "no worker may start on half of it"

            await imported(place, backup)

            assert stored(place) == stored(whole), f"{step} {number}"
            assert place.committed() == 0


async def test_an_import_that_is_complete_is_refused_a_second_time(backup: Path) -> None:
    place = elsewhere(2)
    await imported(place, backup)
    before = stored(place)

    with pytest.raises(DeploymentNotEmptyError, match="--app"):
        await imported(place, backup)

    assert stored(place) == before


async def test_a_deployment_that_a_worker_has_served_is_refused(backup: Path) -> None:
    place = elsewhere(1)
    await create_topics(place.log(), place.settings)
    async with place.node():
        pass

    with pytest.raises(DeploymentNotEmptyError, match="a worker has served it"):
        await imported(place, backup)


async def test_a_deployment_with_a_job_is_refused(backup: Path) -> None:
    place = elsewhere(1)
    await create_topics(place.log(), place.settings)
    await place.append(b"d", b"job")

    with pytest.raises(DeploymentNotEmptyError, match="jobs wait"):
        await imported(place, backup)


@pytest.mark.parametrize("value", [b"other", None])
async def test_operations_of_another_history_are_refused(backup: Path, value: bytes | None) -> None:
    place = elsewhere(1)
    await create_topics(place.log(), place.settings)
    await place.write(place.topics.operations, Entry(b"d0/document/main/0000000000", value))
    before = stored(place)

    with pytest.raises(DeploymentNotEmptyError, match="other is not empty"):
        await imported(place, backup)

    assert stored(place) == before


async def test_another_file_than_the_one_broken_off_is_refused(
    backup: Path, tmp_path: Path
) -> None:
    place = elsewhere(1)
    with pytest.raises(Killed):
        await imported(place, backup, place.log(Death("begin", 4)))
    origin = site()
    await write_to(origin, adds=1)
    await exported(origin, tmp_path / "other")

    with pytest.raises(DeploymentNotEmptyError, match="not of this file"):
        await imported(place, tmp_path / "other")


async def test_a_bad_line_is_named_before_anything_is_written(origin: Site, tmp_path: Path) -> None:
    await exported(origin, tmp_path / "b")
    lines = (tmp_path / "b").read_bytes().splitlines(keepends=True)
    (tmp_path / "b").write_bytes(b"".join([*lines[:-1], b"{}\n"]))
    place = elsewhere(2)

    with pytest.raises(InvalidBackupError, match=f"line {5 * len(IDS) + 1}:"):
        await imported(place, tmp_path / "b")

    assert stored(place) == [[], []]


async def test_a_running_worker_is_not_ended_by_an_import(backup: Path) -> None:
    place = elsewhere(1)
    await create_topics(place.log(), place.settings)
    member = await place.log().member([place.topics.actions], Following())

    with pytest.raises(GroupHasMembersError, match="stop every worker"):
        await imported(place, backup)

    await member.close()


async def test_a_worker_that_starts_meanwhile_ends_the_import(backup: Path) -> None:
    place = elsewhere(1)

    async def start(step: str) -> None:
        if step == "commit" and stored(place)[0]:
            await place.log().transactor(f"{place.settings.app}-actions-0")

    with pytest.raises(FencedError):
        await imported(place, backup, place.log(start))

    assert place.committed() is None


async def test_what_lost_its_marker_is_written_again_and_once(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("docreactor.agents.markers._WAIT_S", 0.1)
    monkeypatch.setattr("docreactor.agents.markers._GRACE_S", 0.1)
    place, whole = elsewhere(2), elsewhere(2)
    await imported(whole, backup)

    async def lose(step: str) -> None:
        if step == "commit" and len(place.records(place.topics.operations)) >= 4:
            place.cluster.leaderless = {place.source(place.topics.operations)}

    with pytest.raises(LogError, match="no marker"):
        await imported(place, backup, place.log(lose))
    place.cluster.leaderless = set()

    await imported(place, backup)

    assert stored(place) == stored(whole)
