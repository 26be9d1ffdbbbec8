"""What every start needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from docreactor.gateway.broker.jars import jar_directory
from docreactor.gateway.broker.java import Java
from docreactor.gateway.broker.runtime import Runtime


@pytest.mark.parametrize(("version", "native"), [("17.0.15", False), ("25.0.2", True)])
def test_native_code_is_allowed_where_java_would_complain_of_it(version: str, native: bool) -> None:
    runtime = Runtime(
        Java(Path("/opt/java"), version), (Path("/a.jar"), Path("/b.jar")), Path("/c")
    )
    command = runtime.command("-Xmx1g")
    assert command[0] == "/opt/java"
    assert command[-3:] == ("-Xmx1g", "-cp", "/a.jar:/b.jar")
    assert ("--enable-native-access=ALL-UNNAMED" in command) is native


def test_a_runtime_of_this_machine_has_absolute_jars_in_the_cache(broker_runtime: Runtime) -> None:
    assert broker_runtime.java.major >= 17
    assert broker_runtime.kafka == jar_directory(broker_runtime.cache)
    assert {jar.parent for jar in broker_runtime.jars} == {broker_runtime.kafka}
