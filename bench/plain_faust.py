"""The same reduction as a plain Faust program: an agent, a RocksDB table, a topic of results.

Run it as Faust programs are run: `faust -A docreactor.bench.plain_faust:app worker`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faust
import orjson
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from docreactor.pipeline.canonical import digest, encode


class FaustSettings(BaseSettings):
    """Where the program reads, writes and keeps its table."""

    model_config = SettingsConfigDict(env_prefix="DOCREACTOR_BENCH_FAUST_", frozen=True)

    group: str = Field(default="bench-faust", description="its own name, and its group")
    source: str = Field(default="bench-faust-actions", description="topic of its jobs")
    target: str = Field(default="bench-faust-operations", description="topic of its operations")
    broker: str = Field(default="localhost:9092", description="host:port of Kafka")
    data: Path = Field(default=Path("faust-data"), description="directory of its table")
    partitions: int = Field(default=8, description="partitions of its topics")


def reduce(state: Mapping[str, Any], input: Mapping[str, Any]) -> dict[str, Any]:
    """What `bench.stock` does."""
    return {**state, input["item"]: input["count"]}


def open_app(settings: FaustSettings) -> faust.App:
    """The program: at least once, and everything else as Faust has it by default."""
    app = faust.App(
        settings.group,
        env={},
        broker=f"kafka://{settings.broker}",
        store="rocksdb://",
        datadir=settings.data,
        topic_partitions=settings.partitions,
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
    )
    jobs = app.topic(settings.source, key_serializer="raw", value_serializer="raw")
    operations = app.topic(settings.target, key_serializer="raw", value_serializer="raw")
    states = app.Table("states", default=dict, partitions=settings.partitions)

    @app.agent(jobs, name="reducer")
    async def reducer(stream: faust.StreamT[bytes]) -> None:
        async for value in stream:
            job = orjson.loads(value)
            document_id = job["document_id"]
            row = states[document_id] or {"index": -1, "state": {}}
            index, state = row["index"], row["state"]
            for action in job["actions"]:
                index += 1
                state = reduce(state, action["input"])
                content = encode(state)
                operation = {"action": action, "hash": digest(content), "index": index}
                key = f"{document_id}/{job['scope']}/{job['branch']}/{index:010d}"
                await operations.send(key=key.encode(), value=encode(operation))
            states[document_id] = {"index": index, "state": state}

    return app


app = open_app(FaustSettings())
