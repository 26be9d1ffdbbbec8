"""The class archive."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from docreactor.gateway.broker.archive import Archive, archive_flags, archive_of
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.java import Java
from docreactor.gateway.broker.profile import Profile, jvm_flags
from docreactor.gateway.broker.progress import Step, silent
from docreactor.gateway.broker.runtime import Runtime


def test_the_first_start_makes_the_archive_and_later_ones_find_it(
    tmp_path: Path, broker_runtime: Runtime
) -> None:
    runtime = replace(broker_runtime, cache=tmp_path)
    shutil.copytree(
        broker_runtime.kafka,
        runtime.kafka,
        ignore=lambda _, names: [n for n in names if "jar" in n],
    )
    left = Home(tmp_path / "training")
    left.directory.mkdir()
    left.log.write_text("left by a start that was killed")
    steps: list[Step] = []

    flags = archive_flags(runtime, progress=steps.append)

    archive = archive_of(runtime)
    made = archive.path.stat()
    assert made.st_size > 10_000_000
    assert flags == archive.flags()
    assert steps[0] == Step("Making Apache Kafka start faster, once")
    assert not left.directory.exists()
    assert archive_flags(runtime, progress=silent) == flags
    assert archive.path.stat().st_mtime_ns == made.st_mtime_ns


@pytest.mark.parametrize("profile", list(Profile))
def test_a_broker_of_either_profile_can_use_the_archive(
    profile: Profile, broker_runtime: Runtime
) -> None:
    flags = archive_flags(broker_runtime, progress=silent)
    insist = "-XX:AOTMode=on" if archive_of(broker_runtime).ahead else "-Xshare:on"
    command = broker_runtime.command(*jvm_flags(profile), *flags, insist)
    answer = subprocess.run(
        [*command, "kafka.Kafka"], check=False, capture_output=True, text=True, timeout=60
    )
    assert "USAGE" in answer.stdout + answer.stderr


def test_another_java_or_another_jar_has_another_archive() -> None:
    runtime = Runtime(Java(Path("/opt/java"), "17.0.1"), (Path("/a.jar"),), Path("/cache"))
    newer = replace(runtime, java=Java(Path("/opt/java"), "17.0.2"))
    longer = replace(runtime, jars=(Path("/a.jar"), Path("/b.jar")))
    assert len({archive_of(each).path for each in (runtime, newer, longer)}) == 3


def test_an_archive_of_java_twenty_five_holds_more_than_classes() -> None:
    runtime = Runtime(Java(Path("/opt/java"), "25.0.2"), (), Path("/cache"))
    assert archive_of(runtime).writing_flags(Path("/a"))[0] == "-XX:AOTCacheOutput=/a"
    older = replace(runtime, java=Java(Path("/opt/java"), "21.0.2"))
    assert archive_of(older).writing_flags(Path("/a"))[0] == "-XX:ArchiveClassesAtExit=/a"


def test_a_java_that_could_not_write_an_archive_is_not_asked_to_use_it(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "empty.jsa", ahead=False)
    archive.path.touch()
    assert archive.is_made
    assert archive.flags() == ()
