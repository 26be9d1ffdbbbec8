"""One Kafka process over one directory: its start, its identity and its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import POLL_S, is_locked, open_locked
from docreactor.gateway.broker.profile import Profile, jvm_flags, server_properties
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.runtime import Runtime
from docreactor.gateway.broker.storage import format_storage
from docreactor.pipeline.errors import BrokerDidNotStartError

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 30.0
KILL_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 2.0
READY = b"Kafka Server started"
LOOPBACK = "127.0.0.1"
# The shell becomes the JVM only when its pid is on record: a starter killed in between leaves
# nothing behind.
WHEN_TOLD = 'read -r go && exec "$@" </dev/null'

LOG_SETTINGS = """\
status = error
shutdownHook = disable
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %m (%c{{1}})%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 20MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What is on record of a broker process."""

    pid: int
    port: int
    controller_port: int
    profile: Profile
    java: str
    started_at: str
    kept: bool

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"


def recorded_server(home: Home) -> Server | None:
    """The server that lives here: recorded, and holding the lock of its own; None if none."""
    if not is_locked(home.alive):
        return None
    return last_server(home)


def last_server(home: Home) -> Server | None:
    """The server on record, whether it lives or not."""
    try:
        facts = orjson.loads(home.record.read_bytes())
    except FileNotFoundError:
        return None
    facts["profile"] = Profile(facts["profile"])
    return Server(**facts)


def write_record(home: Home, server: Server) -> None:
    """Put the record in one piece."""
    arriving = home.record.with_suffix(".arriving")
    arriving.write_bytes(orjson.dumps(asdict(server), option=orjson.OPT_INDENT_2))
    arriving.rename(home.record)


def keep_running(home: Home, server: Server) -> Server:
    """Put on record that the server stays when its last user leaves."""
    kept = replace(server, kept=True)
    write_record(home, kept)
    return kept


def launch(
    home: Home, runtime: Runtime, *, profile: Profile, flags: tuple[str, ...], kept: bool
) -> Server:
    """Start the process and put it on record; `await_ready` tells when it answers.

    It is in a session of its own, so that Ctrl-C reaches us and not it.
    """
    home.directory.mkdir(parents=True, exist_ok=True)
    identity = _identity(home)
    try:
        port, controller_port = _ports(last_server(home))
        home.record.unlink(missing_ok=True)
        _write_settings(home, profile, port=port, controller_port=controller_port)
        format_storage(home, runtime)
        command = runtime.command(
            *jvm_flags(profile),
            *flags,
            f"-Dlog4j2.configurationFile={home.log_settings.name}",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
        )
        process = _spawn(home, (*command, "kafka.Kafka", home.settings.name), identity)
        server = Server(
            pid=process.pid,
            port=port,
            controller_port=controller_port,
            profile=profile,
            java=runtime.java.version,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            kept=kept,
        )
        _let_go(process, lambda: write_record(home, server))
        return server
    finally:
        os.close(identity)


def await_ready(home: Home, server: Server, *, progress: Progress) -> None:
    """Wait until the broker takes requests; BrokerDidNotStart, and no broker, if it does not."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not is_ready(home, server):
        if not is_locked(home.alive):
            raise BrokerDidNotStartError(f"it ended: {last_words(home)}", log=str(home.log))
        if time.monotonic() > deadline:
            end(home, server)
            raise BrokerDidNotStartError(
                f"it was not ready after {START_TIMEOUT_S:g} s", log=str(home.log)
            )
        progress(Step("Starting Apache Kafka"))
        time.sleep(POLL_S)


def is_ready(home: Home, server: Server) -> bool:
    """Whether the server has said so and takes a connection."""
    try:
        said = READY in home.log.read_bytes()
    except FileNotFoundError:
        return False
    return said and answers(LOOPBACK, server.port, timeout_s=CONNECT_TIMEOUT_S)


def answers(host: str, port: int, *, timeout_s: float) -> bool:
    """Whether somebody takes a TCP connection there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def end(home: Home, server: Server) -> None:
    """Stop the process in order, or by force when it takes too long; gone on return."""
    _signal(server.pid, signal.SIGTERM)
    if not _gone(home, within_s=STOP_TIMEOUT_S):
        kill(home, server)


def kill(home: Home, server: Server) -> None:
    """End the process as a crash would; gone on return."""
    _signal(server.pid, signal.SIGKILL)
    _gone(home, within_s=KILL_TIMEOUT_S)


def last_words(home: Home) -> str:
    """What the broker's log complained of last, and its cause; else what the JVM said."""
    lines = _lines(home.log)
    complaints = [at for at, line in enumerate(lines) if " ERROR " in line or " FATAL " in line]
    said = lines[complaints[-1] :][:2] if complaints else _lines(home.output)[-1:]
    return " ".join(said)[:500] or "it said nothing"


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.is_file() else []


def _gone(home: Home, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while is_locked(home.alive):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _identity(home: Home) -> int:
    """The lock that the broker is to hold; one who died a moment ago may still have it."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while (identity := open_locked(home.alive)) is None:
        if time.monotonic() > deadline:
            raise BrokerDidNotStartError("another one holds its directory", log=str(home.log))
        time.sleep(POLL_S)
    return identity


def _spawn(home: Home, command: tuple[str, ...], identity: int) -> subprocess.Popen[bytes]:
    if home.log.exists():
        home.log.replace(home.previous_log)
    with home.output.open("wb") as output:
        return subprocess.Popen(
            ["/bin/sh", "-c", WHEN_TOLD, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=home.directory,
            start_new_session=True,
            pass_fds=(identity,),
        )


def _let_go(process: subprocess.Popen[bytes], record: Callable[[], None]) -> None:
    """Record, then let the shell become the JVM; a thread takes its exit code when it ends."""
    threading.Thread(target=process.wait, daemon=True, name="broker-exit").start()
    gate = process.stdin
    assert gate is not None
    with gate:
        record()
        gate.write(b"go\n")


def _write_settings(home: Home, profile: Profile, *, port: int, controller_port: int) -> None:
    settings = server_properties(
        profile, data=Path(home.data.name), port=port, controller_port=controller_port
    )
    home.settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    home.log_settings.write_text(LOG_SETTINGS.format(log=home.log.name))


def _ports(last: Server | None) -> tuple[int, int]:
    """Two free ports, those of the last start again if they are free."""
    wanted = (last.port, last.controller_port) if last else (0, 0)
    try:
        return _free(*wanted)
    except OSError:
        return _free(0, 0)


def _free(*wanted: int) -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        for bound, port in zip((first, second), wanted, strict=True):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((LOOPBACK, port))
        return first.getsockname()[1], second.getsockname()[1]
