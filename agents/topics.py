"""The deployment's topics on a log: created, compared with their declaration, described."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import replace

import structlog

from docreactor.agents.log import Entry, Log, TopicPartition
from docreactor.pipeline.errors import (
    FencedError,
    LogError,
    LogIdMissingError,
    TopicsDifferError,
    TopicsMissingError,
)
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.topics import TopicDeclaration, Topics, declarations

LOG_ID_KEY = b"log-id"
_MIN_INSYNC = "min.insync.replicas"
_ATTEMPTS_MAX = 10
_OTHER_WAIT_S = 2.0
_FETCH_RECORDS = 1_000
_FETCH_MS = 100

_log = structlog.get_logger()


async def create_topics(log: Log, settings: Settings) -> list[str]:
    """Create what is missing, and the log id where there is none; returns the new topics' names.

    Several processes may do so at the same time: they agree on one id. Topics that exist are
    left as they are.
    """
    brokers = await log.broker_count()
    if brokers < settings.replication_factor:
        _log.warning(
            "fewer brokers than copies asked for: what one broker loses may be lost",
            brokers=brokers,
            replication_factor=settings.replication_factor,
        )
    created = await log.create([_lowered(each, brokers) for each in declarations(settings)])
    await _ensure_log_id(log, settings)
    return list(created)


async def check_topics(log: Log, settings: Settings) -> str:
    """Compare all topics with their declaration; returns the log id.

    TopicsMissing, TopicsDiffer with every difference, or LogIdMissing. Changes nothing.
    """
    declared = declarations(settings)
    found = {each.name: each for each in await log.describe([each.name for each in declared])}
    if missing := [each.name for each in declared if each.name not in found]:
        raise TopicsMissingError(missing)
    brokers = await log.broker_count()
    differences = [
        difference
        for each in declared
        for difference in _differences(found[each.name], each, _lowered(each, brokers))
    ]
    if differences:
        raise TopicsDifferError(differences)
    log_id = await _find_log_id(log, settings)
    if log_id is None:
        raise LogIdMissingError(
            f"{Topics(settings.app).positions} carries no log id: run docreactor topics create"
        )
    return log_id


async def describe_topics(log: Log, settings: Settings) -> list[TopicDeclaration]:
    """Those of the deployment's topics that exist, each as the cluster has it."""
    return list(await log.describe([each.name for each in declarations(settings)]))


def _lowered(declared: TopicDeclaration, brokers: int) -> TopicDeclaration:
    """What so many brokers can keep of it."""
    wanted = int(declared.config[_MIN_INSYNC])
    config = {**declared.config, _MIN_INSYNC: str(min(wanted, brokers))}
    return replace(declared, config=config)


def _differences(
    found: TopicDeclaration, declared: TopicDeclaration, lowered: TopicDeclaration
) -> Iterator[str]:
    """Brokers may have been fewer at the creation, or may be now: either is as declared."""
    name = declared.name
    if found.partition_count != declared.partition_count:
        yield f"{name} has {found.partition_count} partitions, not {declared.partition_count}"
    for key, value in declared.config.items():
        actual = found.config.get(key)
        if _normal(actual) not in (_normal(value), _normal(lowered.config[key])):
            yield f"{name} has {key} {actual}, not {value}"


def _normal(value: str | None) -> list[str]:
    """A list's order means nothing, as in cleanup.policy."""
    return sorted((value or "").split(","))


async def _ensure_log_id(log: Log, settings: Settings) -> None:
    """One record for ever, because compaction would keep the last of several."""
    if await _find_log_id(log, settings):
        return
    for _ in range(_ATTEMPTS_MAX):
        await _write_log_id(log, settings)
        if await _find_log_id(log, settings, wait_s=_OTHER_WAIT_S):
            return
    raise LogError("the log id could not be written: other processes keep trying, stop them")


async def _write_log_id(log: Log, settings: Settings) -> None:
    """Write it unless it is there, or another process takes over.

    Opening the transactional id ends what another has begun: what is not there then never comes.
    """
    transactor = await log.transactor(f"{settings.app}-log-id")
    try:
        if await _find_log_id(log, settings) is None:
            entry = Entry(LOG_ID_KEY, secrets.token_hex(16).encode())
            async with transactor.transaction() as transaction:
                await transaction.send({_positions(settings): [entry]})
    except FencedError:
        _log.info("another process writes the log id")
    finally:
        await transactor.close()


async def _find_log_id(log: Log, settings: Settings, *, wait_s: float = 0.0) -> str | None:
    """The first id in the log. It was written before all else, so it is found at once."""
    source = _positions(settings)
    position = (await log.start_offsets([source]))[source]
    end = (await log.end_offsets([source]))[source]
    until = asyncio.get_running_loop().time() + wait_s
    reader = await log.reader({source: position})
    try:
        while position < end or asyncio.get_running_loop().time() < until:
            fetched = await reader.fetch(count_max=_FETCH_RECORDS, timeout_ms=_FETCH_MS)
            if source not in fetched:
                continue
            for record in fetched[source].records:
                if record.key == LOG_ID_KEY and record.value is not None:
                    return record.value.decode()
            position = fetched[source].next_offset
    finally:
        await reader.close()
    return None


def _positions(settings: Settings) -> TopicPartition:
    return TopicPartition(Topics(settings.app).positions, 0)
