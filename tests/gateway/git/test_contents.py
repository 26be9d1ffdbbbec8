"""Blobs are text where they can be, and otherwise named by size and hash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.git.contents import Content, contents
from docreactor.gateway.git.history import Repository
from docreactor.pipeline.errors import GitFailedError


def blobs(path: Path) -> dict[str, str]:
    """The blob of each path of a repository whose commits only add."""
    return {
        change.path.decode(): change.blob
        for _, changes in Repository.open(path).commits()
        for change in changes
    }


def written(tmp_path: Path, **files: bytes) -> Path:
    entries = [Entry(name, content) for name, content in files.items()]
    return write_repository(tmp_path / "r", [Step("one", entries)])


def test_text_is_utf_8_without_nul(tmp_path: Path) -> None:
    texts = {"plain": b"a\r\n", "empty": b"", "owl": "\N{OWL}".encode(), "bom": b"\xef\xbb\xbfx"}
    other = {"nul": b"a\0b", "latin": "\xe9".encode("latin-1"), "lone": b"\xed\xa0\x80"}
    path = written(tmp_path, **texts, **other)
    named = blobs(path)

    with contents(path, text_bytes_max=100) as source:
        read = {name: source.read(blob) for name, blob in named.items()}

    assert {name: read[name].text for name in texts} == {k: v.decode() for k, v in texts.items()}
    assert {read[name].text for name in other} == {None}
    for name, content in (texts | other).items():
        assert (read[name].size, read[name].sha256) == (len(content), sha256(content).hexdigest())


def test_what_is_over_the_bound_is_only_named(tmp_path: Path) -> None:
    large = b"0123456789abcdef" * 200_000
    path = written(tmp_path, large=large, fits=b"x" * 1000)
    named = blobs(path)

    with contents(path, text_bytes_max=1000) as source:
        assert source.read(named["large"]) == Content(None, len(large), sha256(large).hexdigest())
        assert source.read(named["fits"]).text == "x" * 1000


def test_threads_share_one_git(tmp_path: Path) -> None:
    files = {f"f{number}": f"{number}\n".encode() * number for number in range(50)}
    path = written(tmp_path, **files)
    named = blobs(path)

    with contents(path, text_bytes_max=1000) as source, ThreadPoolExecutor(8) as threads:
        read = dict(zip(named, threads.map(source.read, named.values()), strict=True))

    assert {name: (content.text or "").encode() for name, content in read.items()} == files


def test_a_blob_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = written(tmp_path, a=b"a")

    with (
        pytest.raises(GitFailedError, match=f"no blob {'1' * 40}"),
        contents(path, text_bytes_max=1000) as source,
    ):
        source.read("1" * 40)
