"""Every line of a backup is checked, and the first that is wrong is named."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from docreactor.agents.backup_file import BackupFile
from docreactor.pipeline.errors import InvalidBackupError
from tests.agents.backups import IDS, exported, write_to
from tests.support.nodes import site

Lines = list[dict[str, Any]]
ERASED = {"kind": "erased", "document_id": "e", "erased_at": "2026-01-02T03:04:05.000006Z"}
ACCEPTED = {
    "kind": "accepted",
    "document_id": "d0",
    "accepted_at": "2026-01-02T03:04:05.000006Z",
    "labels": {"document/main": 1, "global/main": 2},
}


@pytest.fixture
async def backup(tmp_path: Path) -> Path:
    """Six ledgers, five operations each: two of `document`, then three of `global`."""
    place = site()
    await write_to(place)
    await exported(place, tmp_path / "b.jsonl")
    return tmp_path / "b.jsonl"


def changed(path: Path, change: Callable[[Lines], Any]) -> Path:
    """The same file with its lines changed, the header's counts among them."""
    lines: Lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    lines[0]["operations"] = sum(line["kind"] == "operation" for line in lines)
    lines[0]["erased"] = sum(line["kind"] == "erased" for line in lines)
    lines[0]["accepted"] = sum(line["kind"] == "accepted" for line in lines)
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidBackupError) as caught:
        list(BackupFile(path).records())
    assert caught.value.message.startswith(f"{path}, line {caught.value.facts['line']}: ")
    return f"{caught.value.facts['line']}: {caught.value.message}"


def test_an_export_is_read_as_it_was_written(backup: Path) -> None:
    records = list(BackupFile(backup).records())

    assert len(records) == 5 * len(IDS)
    assert records[4].document_id == "d0"
    assert records[4].key == b"d0/global/main/0000000002"


def test_accepted_documents_are_read_too(backup: Path) -> None:
    records = list(BackupFile(changed(backup, lambda lines: lines.append(ACCEPTED))).records())

    assert (records[-1].document_id, records[-1].key) == ("d0", b"d0/accepted")


def test_erased_documents_are_read_too(backup: Path) -> None:
    records = list(BackupFile(changed(backup, lambda lines: lines.append(ERASED))).records())

    assert (records[-1].document_id, records[-1].key) == ("e", b"e/")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: lines.pop(4), "5: .*d0/global/main/1: WrongIndex"),
        (lambda lines: lines.insert(4, lines[3]), "5: .*WrongIndex"),
        (lambda lines: lines.insert(1, lines.pop(2)), "2: .*WrongIndex"),
        (lambda lines: lines[4]["operation"].update(hash="x"), "6: .*BrokenChain"),
        (lambda lines: lines[4]["operation"].update(skip=9), "5: .*InvalidSkip"),
        (lambda lines: lines[4].update(scope="local"), "5: .*WrongIndex"),
        (lambda lines: lines[4].update(branch="a/b"), "5: .*branch"),
        (lambda lines: lines[4].update(document_id=".."), "5: .*document_id"),
        (lambda lines: lines[4].update(kind="other"), "5: .*other"),
        (lambda lines: lines[4].update(more=1), "5: .*more"),
        (lambda lines: lines[4].update(operation=7), "5: .*UndecodableOperation"),
        (lambda lines: lines.insert(5, ERASED | {"document_id": "d0"}), "6: .*has operations"),
        (lambda lines: lines.insert(1, ERASED | {"document_id": "d0"}), "3: .*was erased"),
        (lambda lines: lines.append(ERASED | {"erased_at": "late"}), "32: .*late"),
        (lambda lines: lines.append(ACCEPTED | {"accepted_at": "late"}), "32: .*late"),
        (lambda lines: lines.append(ACCEPTED | {"labels": {"global/main": 3}}), "32: .*labels"),
        (lambda lines: lines.append(ACCEPTED | {"labels": {"global": 0}}), "32: .*labels"),
        (lambda lines: lines.insert(1, ACCEPTED), "2: .*has 0 operations here"),
    ],
)
def test_a_line_that_is_wrong_is_named(
    backup: Path, change: Callable[[Lines], Any], told: str
) -> None:
    assert re.match(told, refusal(changed(backup, change)))


def test_bytes_in_another_form_are_refused(backup: Path) -> None:
    backup.write_bytes(backup.read_bytes().replace(b'"index":0', b'"index": 0', 1))

    assert "line 2: " in refusal(backup)
    assert "NotCanonical" in refusal(backup)


@pytest.mark.parametrize("lines_left", [1, 7])
def test_a_file_that_was_cut_off_is_refused(backup: Path, lines_left: int) -> None:
    lines = backup.read_bytes().splitlines(keepends=True)
    backup.write_bytes(b"".join(lines[:lines_left]))

    told = refusal(backup)
    assert told.startswith(f"{lines_left + 1}: ")
    assert f"ends after {lines_left - 1} operations" in told
    assert f"says {5 * len(IDS)}" in told


def test_a_packed_file_that_was_cut_off_is_refused(backup: Path, tmp_path: Path) -> None:
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(backup.read_bytes())[:-20])

    assert "cannot be read" in refusal(packed)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\xff\n"])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)

    assert "1: " in refusal(tmp_path / "b")
