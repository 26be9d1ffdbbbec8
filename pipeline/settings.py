"""Every setting: its unit, its default, its environment variable `DOCREACTOR_<NAME>`."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a deployment may choose. Frozen: read once at start, passed on as an argument."""

    model_config = SettingsConfigDict(env_prefix="DOCREACTOR_", frozen=True, extra="forbid")

    app: str = Field("docreactor", description="prefix of topics, groups and transactional ids")
    data: Path = Field(
        default_factory=lambda: user_data_path("docreactor"),
        description="directory of tables and of the development broker",
    )
    broker: str | None = Field(
        None, description="host:port,... of a Kafka >= 4.0; unset: a development broker"
    )
    broker_security_protocol: str = Field(
        "PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL"
    )
    broker_sasl_mechanism: str = Field("PLAIN", description="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512")
    broker_username: str | None = Field(None, description="SASL user name")
    broker_password: SecretStr | None = Field(None, description="SASL password")
    broker_ca_file: Path | None = Field(None, description="PEM file of the broker's authority")
    broker_certificate_file: Path | None = Field(None, description="PEM file, mutual TLS")
    broker_key_file: Path | None = Field(None, description="PEM file, mutual TLS")
