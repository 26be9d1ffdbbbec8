"""The jars that make the broker: which, with which sums, and where they lie."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jgo.env import EnvironmentBuilder, LockFile
from jgo.maven import MavenContext

from docreactor.gateway.broker.lock import lock
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.pipeline.errors import KafkaNotAvailableError, TamperedJarError

KAFKA_VERSION = "4.3.1"
# The mark `!` keeps the dependency management of log4j out: with it the clients are Kafka 3.9.1.
ENDPOINT = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
)
FETCH_TIMEOUT_S = 20
FETCHES_AT_ONCE = 8
LOCK_WAIT_S = 600.0
STAGING = "fetching-"


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the committed list."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version} {self.sha256}"


def listed_jars() -> tuple[Jar, ...]:
    """The committed list, in the order of the class path."""
    text = files("docreactor.gateway.broker").joinpath("jars.txt").read_text(encoding="utf-8")
    return tuple(_parse(line) for line in text.splitlines() if line)


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split(" ")
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, sha256)


def jar_directory(cache: Path) -> Path:
    """Where the jars of this Kafka lie, and nothing else that ends in .jar."""
    return cache.absolute() / f"kafka-{KAFKA_VERSION}"


def class_path(
    cache: Path, *, progress: Progress, environ: Mapping[str, str] = os.environ
) -> tuple[Path, ...]:
    """Every listed jar, checked against its sum; what is missing is fetched first.

    A jar with another sum, or one that is not on the list, is TamperedJar and names it.
    """
    directory = jar_directory(cache)
    jars = listed_jars()
    directory.mkdir(parents=True, exist_ok=True)
    _refuse_strangers(directory, jars)
    if any(not (directory / jar.name).exists() for jar in jars):
        with lock(cache / "jars.lock", wait_s=LOCK_WAIT_S, progress=progress):
            missing = [jar for jar in jars if not (directory / jar.name).exists()]
            _fetch(missing, directory, progress=progress, environ=environ)
    for jar in jars:
        check(jar, directory / jar.name)
    return tuple(directory / jar.name for jar in jars)


def check(jar: Jar, path: Path) -> None:
    """TamperedJar unless the file has the sum of the list."""
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != jar.sha256:
        reason = f"its SHA-256 is {found}, the list says {jar.sha256}"
        raise TamperedJarError(jar.name, path=str(path), reason=reason)


def _refuse_strangers(directory: Path, jars: Iterable[Jar]) -> None:
    known = {jar.name for jar in jars}
    for path in sorted(directory.glob("*.jar")):
        if path.name not in known:
            raise TamperedJarError(path.name, path=str(path), reason="it is not on the list")


def _fetch(
    missing: list[Jar], directory: Path, *, progress: Progress, environ: Mapping[str, str]
) -> None:
    """Fetch beside the directory and move in what has the right sum: never half a jar."""
    for left in directory.parent.glob(f"{STAGING}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=STAGING) as staging:
        context = MavenContext(
            repo_cache=Path(staging),
            local_repos=[_user_repository(environ)],
            timeout=FETCH_TIMEOUT_S,
        )
        try:
            for done, _ in enumerate(_fetched(missing, directory, context)):
                progress(Step(f"Fetching Apache Kafka {KAFKA_VERSION}", done + 1, len(missing)))
        # What jgo raises without a network is an OSError, for an unknown artifact a RuntimeError.
        except (OSError, RuntimeError) as cause:
            count = sum(not (directory / jar.name).exists() for jar in missing)
            raise KafkaNotAvailableError(
                missing=count, directory=str(directory), cause=type(cause).__name__
            ) from cause


def _fetched(missing: list[Jar], directory: Path, context: MavenContext) -> Iterator[Jar]:
    with _pool() as pool:
        futures = [pool.submit(_fetch_one, jar, directory, context) for jar in missing]
        for future in as_completed(futures):
            yield future.result()


@contextmanager
def _pool() -> Generator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(FETCHES_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch_one(jar: Jar, directory: Path, context: MavenContext) -> Jar:
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    fetched = component.artifact().resolve()
    check(jar, fetched)
    arriving = directory / f".{jar.name}.arriving"
    shutil.copyfile(fetched, arriving)
    arriving.rename(directory / jar.name)
    return jar


def _user_repository(environ: Mapping[str, str]) -> Path:
    """Where Maven keeps what it has fetched for this user: read, never written."""
    return Path(environ.get("M2_REPO") or Path.home() / ".m2" / "repository")


def resolved_jars(repository: Path, *, offline: bool) -> tuple[Jar, ...]:
    """What jgo makes of the endpoint: what the committed list is written from."""
    context = MavenContext(repo_cache=repository, timeout=FETCH_TIMEOUT_S, offline=offline)
    with tempfile.TemporaryDirectory() as scratch:
        builder = EnvironmentBuilder(context, cache_dir=Path(scratch))
        locked = LockFile.load(builder.from_endpoint(ENDPOINT).lock_path).dependencies
    jars = (Jar(of.groupId, of.artifactId, of.version, of.sha256 or "") for of in locked)
    return tuple(sorted(jars, key=str))
