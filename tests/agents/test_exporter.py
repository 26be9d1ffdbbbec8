"""An export holds every committed operation as it was stored, and appears when it is complete."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from docreactor.agents.clock import SystemClock
from docreactor.agents.exporter import export
from docreactor.agents.log import Entry
from docreactor.pipeline.accepted import Accepted, accepted_key
from docreactor.pipeline.backup import AcceptedLine, OperationLine, read_header, read_line
from docreactor.pipeline.erased import Erased, erased_key
from docreactor.pipeline.errors import ExportOvertakenError, TopicsMissingError, UnknownFormatError
from docreactor.pipeline.keys import record_key
from tests.agents.backups import IDS, elsewhere, exported, write_to
from tests.support.nodes import Site, done, site

TIME = "2026-01-02T03:04:05.000006Z"


async def filled() -> Site:
    place = site()
    await write_to(place)
    return place


async def test_every_operation_is_exported_as_it_was_stored(tmp_path: Path) -> None:
    place = await filled()

    written = await exported(place, tmp_path / "b.jsonl")

    first, *lines = (tmp_path / "b.jsonl").read_bytes().splitlines()
    records = place.records(place.topics.operations)
    read = [read_line(line) for line in lines]
    assert read_header(first) == written.header
    assert written.header.operations == len(lines) == len(records) == 5 * len(IDS)
    assert written.header.models == {"test/ledger": 1}
    assert (written.header.partitions, written.left_out) == (1, 0)
    for line, record in zip(read, records, strict=True):
        assert isinstance(line, OperationLine)
        assert line.content == record.value
        assert record_key(line.stream, int(record.key[-10:])) == record.key


async def test_a_name_that_ends_in_gz_gives_the_same_lines_packed(tmp_path: Path) -> None:
    place = await filled()

    await exported(place, tmp_path / "b.jsonl")
    await exported(place, tmp_path / "b.jsonl.gz")

    plain = (tmp_path / "b.jsonl").read_bytes().splitlines()[1:]
    packed = gzip.decompress((tmp_path / "b.jsonl.gz").read_bytes()).splitlines()[1:]
    assert packed == plain


async def test_an_erased_document_is_left_out_but_for_the_fact(tmp_path: Path) -> None:
    place = await filled()
    erased = Erased(IDS[0], TIME)
    await place.write(place.topics.operations, Entry(erased_key(IDS[0]), erased.encode()))

    written = await exported(place, tmp_path / "b")

    content = (tmp_path / "b").read_bytes()
    assert content.count(f'"document_id":"{IDS[0]}"'.encode()) == 1
    assert (written.header.operations, written.header.erased) == (5 * (len(IDS) - 1), 1)
    assert content.splitlines()[-1] == (
        b'{"document_id":"d0","erased_at":"%b","kind":"erased"}' % TIME.encode()
    )


async def test_what_was_accepted_of_documents_that_are_left_is_exported(tmp_path: Path) -> None:
    place = await filled()
    for number in range(3):
        accepted = Accepted(IDS[number], TIME, {"global/main": 2})
        await place.write(
            place.topics.operations, Entry(accepted_key(IDS[number]), accepted.encode())
        )
    erased = Erased(IDS[0], TIME)
    await place.write(
        place.topics.operations,
        Entry(erased_key(IDS[0]), erased.encode()),
        Entry(accepted_key(IDS[1]), None),
    )

    written = await exported(place, tmp_path / "b")

    assert (written.header.accepted, written.left_out) == (1, 0)
    last = read_line((tmp_path / "b").read_bytes().splitlines()[-1])
    assert isinstance(last, AcceptedLine)
    assert last.accepted == Accepted(IDS[2], TIME, {"global/main": 2})


async def test_what_is_no_operation_is_left_out_and_counted(tmp_path: Path) -> None:
    place = await filled()
    await place.write(
        place.topics.operations, Entry(b"x/global/main/0000000000", b"{}"), Entry(b"?", b"?")
    )

    written = await exported(place, tmp_path / "b")

    assert (written.left_out, written.header.operations) == (2, 5 * len(IDS))


async def test_an_export_while_the_deployment_serves_holds_what_was_there(tmp_path: Path) -> None:
    place = await filled()
    async with place.node() as node:
        await done(node, place.job(IDS[0], [("ADD", {"amount": 7})]))
        written = await exported(place, tmp_path / "b")

    assert written.header.operations == 5 * len(IDS) + 1


async def test_a_record_of_a_later_format_stops_the_export_and_leaves_no_file(
    tmp_path: Path,
) -> None:
    place = await filled()
    await place.write(place.topics.operations, Entry(b"k", b"v", [("v", b"2")]))

    with pytest.raises(UnknownFormatError):
        await exported(place, tmp_path / "b")

    assert os.listdir(tmp_path) == []


async def test_an_export_that_was_overtaken_leaves_the_file_before_it(tmp_path: Path) -> None:
    place = await filled()
    (tmp_path / "b").write_bytes(b"before")
    key = place.records(place.topics.operations)[0].key

    def erase(what: str, done: float) -> None:
        if (what, done) == ("Counting", 1.0):
            place.cluster.append({place.source(place.topics.operations): [Entry(key, None)]}, None)
            place.cluster.compact(place.topics.operations, with_tombstones=True)

    with pytest.raises(ExportOvertakenError):
        await export(
            place.log(), place.settings, tmp_path / "b", clock=SystemClock(), progress=erase
        )

    assert os.listdir(tmp_path) == ["b"]
    assert (tmp_path / "b").read_bytes() == b"before"


async def test_a_deployment_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(TopicsMissingError, match=r"other\.operations"):
        await exported(elsewhere(1), tmp_path / "b")
