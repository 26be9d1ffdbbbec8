"""Every setting: its unit, its default, its environment variable `DOCREACTOR_<NAME>`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a deployment may choose. Frozen: read once at start, passed on as an argument."""

    model_config = SettingsConfigDict(env_prefix="DOCREACTOR_", frozen=True, extra="forbid")

    app: str = Field(
        default="docreactor",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="prefix of topics, groups and transactional ids",
    )
    data: Path = Field(
        default_factory=lambda: user_data_path("docreactor"),
        description="directory of tables and of the development broker",
    )
    cache: Path = Field(
        default_factory=lambda: user_cache_path("docreactor"),
        description="directory of fetched jars and class archives, shared by every --data",
    )
    broker: str | None = Field(
        default=None, description="host:port,... of a Kafka >= 4.0; unset: a development broker"
    )
    broker_security_protocol: str = Field(
        default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    broker_sasl_mechanism: str = Field(
        default="PLAIN", description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"
    )
    broker_username: str | None = Field(default=None, description="SASL user name")
    broker_password: SecretStr | None = Field(default=None, description="SASL password")
    broker_ca_file: Path | None = Field(
        default=None, description="PEM file of the broker's authority"
    )
    broker_certificate_file: Path | None = Field(default=None, description="PEM file, mutual TLS")
    broker_key_file: Path | None = Field(default=None, description="PEM file, mutual TLS")

    partitions: int = Field(default=8, ge=1, le=1024, description="partitions; fixed at creation")
    replication_factor: int = Field(default=3, ge=1, description="copies; 1 on a single broker")
    min_insync_replicas: int = Field(default=2, ge=1, description="copies that must acknowledge")
    delete_retention_ms: int = Field(
        default=7 * 86_400_000, ge=0, description="life of a tombstone, ms"
    )
    segment_ms: int = Field(default=86_400_000, ge=1, description="a segment is rolled after, ms")
    max_compaction_lag_ms: int = Field(
        default=86_400_000, ge=1, description="compacted at latest, ms"
    )
    actions_retention_days: int = Field(default=30, ge=1, description="life of actions, days")
    jobs_retention_days: int = Field(default=7, ge=1, description="life of job results, days")
    record_bytes_max: int = Field(default=16 * 1024 * 1024, description="largest record, bytes")
    compression: str = Field(
        default="zstd", description="of what producers send: none, snappy, lz4, zstd"
    )

    job_actions_max: int = Field(default=5_000, ge=1, description="actions in one job, count")
    action_bytes_max: int = Field(default=512 * 1024, ge=1, description="one action, bytes")
    job_bytes_max: int = Field(default=8 * 1024 * 1024, ge=1, description="one job, bytes")
    document_bytes_max: int = Field(
        default=8 * 1024 * 1024, ge=1, description="state of a scope, bytes"
    )
    clock_skew_max_ms: int = Field(
        default=300_000, ge=0, description="a timestamp may be ahead, ms"
    )
    reshuffle_rows_max: int = Field(
        default=100_000, ge=0, description="operations that placing one job may move, count"
    )
    dependency_timeout_ms: int = Field(
        default=600_000, ge=1, description="a job may wait for a job or a document, ms"
    )
    deferred_jobs_max: int = Field(
        default=100_000, ge=0, description="jobs that wait, per partition, count"
    )
    retries_max: int = Field(
        default=3, ge=0, description="of a job whose decision the place prevents, count"
    )
    retry_backoff_first_ms: int = Field(default=100, ge=1, description="before the first retry, ms")
    retry_backoff_max_ms: int = Field(default=5_000, ge=1, description="before any retry, ms")
    backlog_records_max: int = Field(default=20_000, ge=1, description="before 429, records")

    session_timeout_ms: int = Field(default=6_000, ge=500, description="group session, ms")
    rebalance_timeout_ms: int = Field(default=30_000, ge=1_000, description="group rebalance, ms")
    transaction_timeout_ms: int = Field(
        default=10_000, ge=1_000, description="open transaction, ms"
    )
    broker_timeout_ms: int = Field(
        default=15_000, ge=100, description="one request to a broker, ms"
    )
    fetch_max_wait_ms: int = Field(default=50, ge=1, description="a broker may hold a fetch, ms")
    batch_jobs_max: int = Field(default=1_000, ge=1, description="jobs in one transaction, count")
    batch_bytes_max: int = Field(
        default=512 * 1024, ge=1, description="values of the jobs in one transaction, bytes"
    )
    reducer_timeout_ms: int = Field(default=5_000, ge=1, description="one reduce, ms")
    loop_stall_max_ms: int = Field(
        default=15_000, ge=1_000, description="before the process ends, ms"
    )
    check_purity: bool = Field(default=False, description="run every reducer twice and compare")
    member_id: str | None = Field(
        default=None, description="static group membership; unset: dynamic"
    )

    cache_documents_max: int = Field(
        default=1_000, ge=1, description="streams per partition, count"
    )
    cache_ring_states: int = Field(default=10, ge=1, description="newest states per stream, count")
    cache_bytes_max: int = Field(
        default=64 * 1024 * 1024,
        ge=1,
        description="canonical JSON of the states cached per partition, bytes",
    )
    keyframe_policy: Literal["adaptive", "fixed"] = Field(
        default="adaptive", description="when due"
    )
    keyframe_interval: int = Field(
        default=10, ge=1, description="operations, least or fixed distance"
    )
    keyframes_kept: int = Field(default=8, ge=1, description="newest keyframes of a stream, count")
    graph_documents_max: int = Field(
        default=1_000_000, ge=1, description="documents that one walk over edges may meet, count"
    )
    cascade_count_max: int = Field(
        default=10_000, ge=1, description="documents, and edges, that end with one, count"
    )

    host: str = Field(default="127.0.0.1", description="address that HTTP listens on")
    port: int = Field(default=8080, ge=0, le=65_535, description="port of HTTP; 0: a free one")
    advertised_url: str | None = Field(default=None, description="what other nodes call this one")
    event_heartbeat_ms: int = Field(
        default=5_000, ge=100, le=20_000, description="before a silent event stream says so, ms"
    )
    event_queue_max: int = Field(
        default=1_000, ge=1, description="events that may wait for one subscriber, count"
    )
    http_token: SecretStr | None = Field(default=None, description="bearer token of every call")
