"""A formatted data directory: what a broker must find before its first start."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import uuid

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.runtime import Runtime
from docreactor.pipeline.errors import BrokerDidNotStartError

FORMAT_TIMEOUT_S = 60
CHECKPOINT = "bootstrap.checkpoint"
PROPERTIES = "meta.properties"


def format_storage(home: Home, runtime: Runtime) -> None:
    """Format the data directory unless it is: by Kafka's own tool, from then on by its result.

    The tool's checkpoint holds the feature levels of this Kafka and nothing of the directory,
    so that one is kept and saves every later directory the start of a JVM.
    """
    if (home.data / PROPERTIES).is_file():
        return
    template = runtime.kafka / CHECKPOINT
    if template.is_file():
        home.data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template, home.data / CHECKPOINT)
        (home.data / PROPERTIES).write_text(
            f"version=1\nnode.id=1\ncluster.id={_kafka_id()}\ndirectory.id={_kafka_id()}\n"
        )
        return
    _run_storage_tool(home, runtime)
    arriving = template.with_name(f".{CHECKPOINT}.{os.getpid()}")
    shutil.copyfile(home.data / CHECKPOINT, arriving)
    arriving.rename(template)


def _run_storage_tool(home: Home, runtime: Runtime) -> None:
    action = ("kafka.tools.StorageTool", "format", "-t", _kafka_id(), "-c", home.settings.name)
    answer = subprocess.run(
        [*runtime.command("-XX:TieredStopAtLevel=1"), *action],
        check=False,
        cwd=home.directory,
        capture_output=True,
        text=True,
        timeout=FORMAT_TIMEOUT_S,
    )
    if answer.returncode != 0:
        home.output.write_text(answer.stdout + answer.stderr)
        raise BrokerDidNotStartError("its storage tool failed", log=str(home.output))


def _kafka_id() -> str:
    """A random id as Kafka writes it: it begins with a letter, a dash would look like an option."""
    first, *rest = uuid.uuid4().bytes
    return base64.urlsafe_b64encode(bytes((first & 0x7F, *rest))).decode().rstrip("=")
