"""The command `demo`, as its user starts it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from docreactor.gateway.demo.sample import Entry, Step, write_repository
from docreactor.gateway.server import listen
from tests.gateway.cli.test_worker import DOCREACTOR, TIMEOUT_S, run
from tests.support.kafka import Kafka

ALL = "All 17 files and 5 folders at the head are as git says."
SMALL = [
    Step("one", (Entry("a", b"1\n"), Entry("b", b"1\n"))),
    Step("two", (Entry("a", b"1\n2\n"),)),
]
LIAR = """#!/bin/sh
case " $* " in
*" show "*) echo "something else" ;;
*) exec {git} "$@" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo makes its own folder, in no repository."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


@pytest.fixture
def own(folder: Path) -> Mapping[str, str]:
    """The environment of a demo that starts its own Kafka."""
    return {
        "TMPDIR": str(folder),
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "DOCREACTOR_PARTITIONS": "2",
    }


@pytest.fixture
def environment(own: Mapping[str, str], kafka: Kafka) -> Mapping[str, str]:
    """The environment of a demo on the Kafka of the run."""
    return {**own, "DOCREACTOR_BROKER": kafka.bootstrap_servers}


def demo(*options: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it in a folder that belongs to no repository."""
    folder = environment["TMPDIR"]
    return run(
        "demo", *options, environment=environment, docreactor=("env", "-C", folder, *DOCREACTOR)
    )


def processes_of(folder: Path) -> list[str]:
    """The command lines of processes that know the folder."""
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def await_that(condition: Any, what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def nothing_is_left(folder: Path) -> bool:
    return not list(folder.iterdir()) and not processes_of(folder)


@pytest.mark.kafka
def test_everything_is_started_asked_compared_and_gone(
    folder: Path, own: Mapping[str, str]
) -> None:
    environment = {name: text for name, text in own.items() if name != "DOCREACTOR_BROKER"}

    done = demo(environment=environment)

    assert done.returncode == 0, done.stderr
    assert "A generated history of 107 commits" in done.stdout
    assert ALL in done.stdout
    assert "get chapters/00.md at=global:4" in done.stdout
    assert "NO" not in done.stdout.split()
    assert nothing_is_left(folder)


def test_kept_it_goes_on_and_a_second_import_stores_nothing(
    folder: Path, environment: Mapping[str, str]
) -> None:
    path = write_repository(folder.parent / "r", SMALL)

    done = demo("--keep", "--json", "--workers=2", f"--repository={path}", environment=environment)
    assert done.returncode == 0, done.stderr
    shown = orjson.loads(done.stdout)
    try:
        again = run("import", "git", str(path), f"--url={shown['url']}", "--json", environment={})
        first, second = shown["imported"], orjson.loads(again.stdout)
        query = {"token": second["token"]}
        found = httpx.get(f"{shown['urls'][1]}/v1/documents/a", params=query)
    finally:
        os.kill(shown["pid"], signal.SIGTERM)
    await_that(lambda: not processes_of(folder), "it did not end with the process that it named")

    assert shown["agrees"] and shown["generated"] is None
    assert (shown["checked"], shown["folders_checked"], len(shown["urls"])) == (2, 1, 2)
    assert second["token"] == first["token"], "the second import stored something"
    of_files, of_the_folder = 7, 5
    assert second["actions"] == first["actions"] == of_files + of_the_folder
    assert found.json()["state"]["global"]["content"] == "1\n2\n"
    shutil.rmtree(Path(shown["data"]).parent)


def test_an_answer_that_git_denies_ends_it_with_code_one(
    folder: Path, environment: Mapping[str, str]
) -> None:
    liar = folder.parent / "bin" / "git"
    liar.parent.mkdir()
    liar.write_text(LIAR.format(git=shutil.which("git")))
    liar.chmod(0o755)
    path = f"{liar.parent}{os.pathsep}{os.environ['PATH']}"
    repository = write_repository(folder.parent / "r", SMALL)

    done = demo("--json", f"--repository={repository}", environment={**environment, "PATH": path})

    assert done.returncode == 1, done.stderr
    shown = orjson.loads(done.stdout)
    denied = [reply["question"] for reply in shown["replies"] if not reply["agrees"]]
    assert not shown["agrees"]
    assert denied and all(" at=global:" in question for question in denied)
    assert nothing_is_left(folder)


def test_told_to_stop_it_cleans_up(folder: Path, environment: Mapping[str, str]) -> None:
    with subprocess.Popen(
        (*DOCREACTOR, "demo"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, **environment},
    ) as process:
        try:
            await_that(lambda: list(folder.glob("*/data/up.json")), "it started nothing")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()

    assert process.returncode == 130
    assert nothing_is_left(folder)


def test_what_keeps_it_from_starting_is_told_by_name(
    folder: Path, environment: Mapping[str, str]
) -> None:
    listener = listen("127.0.0.1", 0, None)
    port = listener.socket.getsockname()[1]
    with listener.socket:
        done = demo(f"--port={port}", environment=environment)

    assert done.returncode == 1
    assert "AddressInUse" in done.stderr
    assert "Traceback" not in done.stderr
    assert nothing_is_left(folder)
