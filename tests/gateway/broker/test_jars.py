"""The jars that make the broker."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from docreactor.gateway.broker.jars import (
    ENDPOINT,
    KAFKA_VERSION,
    Jar,
    class_path,
    jar_directory,
    listed_jars,
    resolved_jars,
)
from docreactor.gateway.broker.progress import Step, silent
from docreactor.gateway.broker.runtime import Runtime
from docreactor.pipeline.errors import KafkaNotAvailableError, TamperedJarError
from docreactor.pipeline.settings import Settings


@pytest.fixture
def cache(tmp_path: Path, broker_runtime: Runtime) -> Path:
    """A cache of this test alone that holds every jar."""
    directory = jar_directory(tmp_path / "cache")
    directory.mkdir(parents=True)
    for jar in broker_runtime.jars:
        shutil.copyfile(jar, directory / jar.name)
    return tmp_path / "cache"


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An environment in which no repository can be reached, but for an empty one of the user."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    return os.environ


def put_in_user_repository(environ: Mapping[str, str], jar: Jar, content: Path) -> Path:
    place = Path(environ["M2_REPO"], *jar.group.split("."), jar.artifact, jar.version, jar.name)
    place.parent.mkdir(parents=True)
    shutil.copyfile(content, place)
    return place


def test_the_list_holds_one_kafka_and_not_the_one_that_log4j_would_have_it_be() -> None:
    versions = {jar.artifact: jar.version for jar in listed_jars()}
    assert versions["kafka-clients"] == KAFKA_VERSION == "4.3.1"
    ours = [jar for jar in listed_jars() if jar.group == "org.apache.kafka"]
    assert {jar.version for jar in ours} == {KAFKA_VERSION}


def test_the_list_has_a_sum_for_every_jar_and_every_name_once() -> None:
    jars = listed_jars()
    assert len(jars) == len({jar.name for jar in jars}) == 46
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)


@pytest.mark.nightly
def test_the_list_is_what_jgo_makes_of_the_endpoint() -> None:
    assert ENDPOINT.endswith("log4j-slf4j-impl:2.25.4!")
    found = resolved_jars(Settings().cache / "maven", offline=False)
    assert set(found) == set(listed_jars())


def test_a_complete_cache_gives_the_jars_in_the_order_of_the_list(cache: Path) -> None:
    steps: list[Step] = []
    found = class_path(cache, progress=steps.append)
    assert [path.name for path in found] == [jar.name for jar in listed_jars()]
    assert all(path.is_absolute() for path in found)
    assert not steps


def test_a_tampered_jar_is_refused_by_name(cache: Path) -> None:
    path = jar_directory(cache) / "kafka-clients-4.3.1.jar"
    with path.open("ab") as jar:
        jar.write(b"!")
    with pytest.raises(TamperedJarError, match=r"kafka-clients-4\.3\.1\.jar is refused: .*SHA-256"):
        class_path(cache, progress=silent)


def test_a_jar_that_is_not_on_the_list_is_refused_by_name(cache: Path) -> None:
    (jar_directory(cache) / "kafka-clients-3.9.1.jar").write_bytes(b"PK")
    with pytest.raises(TamperedJarError, match=r"kafka-clients-3\.9\.1\.jar is refused: .*list"):
        class_path(cache, progress=silent)


def test_without_network_the_error_says_what_to_do(
    tmp_path: Path, offline: Mapping[str, str]
) -> None:
    with pytest.raises(KafkaNotAvailableError, match=r"46 of .*DOCREACTOR_BROKER"):
        class_path(tmp_path / "cache", progress=silent, environ=offline)
    assert not list(tmp_path.rglob("*.jar"))


def test_a_missing_jar_is_taken_from_the_users_maven_repository(
    cache: Path, tmp_path: Path, offline: Mapping[str, str]
) -> None:
    jar = next(jar for jar in listed_jars() if jar.artifact == "re2j")
    missing = jar_directory(cache) / jar.name
    put_in_user_repository(offline, jar, missing)
    missing.unlink()
    steps: list[Step] = []
    class_path(cache, progress=steps.append, environ=offline)
    assert missing.is_file()
    assert steps == [Step(f"Fetching Apache Kafka {KAFKA_VERSION}", 1, 1)]


def test_a_tampered_jar_never_enters_the_cache(
    cache: Path, tmp_path: Path, offline: Mapping[str, str]
) -> None:
    jar = next(jar for jar in listed_jars() if jar.artifact == "re2j")
    missing = jar_directory(cache) / jar.name
    missing.unlink()
    false = tmp_path / "false.jar"
    false.write_bytes(b"PK, but another")
    place = put_in_user_repository(offline, jar, false)
    with pytest.raises(TamperedJarError, match=f"{jar.name} is refused") as refusal:
        class_path(cache, progress=silent, environ=offline)
    assert refusal.value.facts["path"] == str(place)
    assert not missing.exists()


def test_what_a_killed_fetch_has_left_is_removed_by_the_next(
    tmp_path: Path, offline: Mapping[str, str]
) -> None:
    left = tmp_path / "cache" / "fetching-old"
    left.mkdir(parents=True)
    with pytest.raises(KafkaNotAvailableError):
        class_path(tmp_path / "cache", progress=silent, environ=offline)
    assert not left.exists()
