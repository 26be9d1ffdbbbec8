"""A Docker engine that runs nothing: it answers what docker-py asks and remembers the questions."""

from __future__ import annotations

import json
import re
import socketserver
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

CONTAINER = "c0ffee" * 10 + "beef"
HOST_PORT = 45678
LOG = b"[KafkaRaftServer nodeId=1] Kafka Server started (kafka.server.KafkaRaftServer)\n"
VERSION = {"Version": "28.0.0", "ApiVersion": "1.48", "MinAPIVersion": "1.24", "Os": "linux"}
STATE = {
    "Id": CONTAINER,
    "Name": "/kafka",
    "State": {"Status": "running", "Running": True},
    "Config": {"Tty": True, "Image": "apache/kafka", "Labels": {}},
    "HostConfig": {"LogConfig": {"Type": "json-file", "Config": {}}},
    "NetworkSettings": {
        "Ports": {"9093/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(HOST_PORT)}]},
        "Networks": {"bridge": {"Gateway": "172.17.0.1", "IPAddress": "172.17.0.2"}},
    },
}


@dataclass(frozen=True, slots=True)
class Question:
    """One request, without the API version that its path begins with."""

    method: str
    path: str
    body: bytes


@dataclass(slots=True)
class FakeDocker:
    """What was asked, and where to ask."""

    socket: Path
    questions: list[Question] = field(default_factory=list[Question])

    @property
    def host(self) -> str:
        """The value of DOCKER_HOST."""
        return f"unix://{self.socket}"

    def asked(self, method: str, path: str) -> list[Question]:
        """The questions of this kind; the path is compared without its query."""
        return [q for q in self.questions if q.method == method and q.path.split("?")[0] == path]

    def answer(self, question: Question) -> tuple[int, bytes]:
        """Say what an engine would that holds the image and starts what it is told."""
        self.questions.append(question)
        path = question.path.split("?")[0]
        match question.method, path:
            case _, "/_ping":
                return 200, b"OK"
            case "GET", "/version":
                return 200, json.dumps(VERSION).encode()
            case "POST", "/containers/create":
                return 201, json.dumps({"Id": CONTAINER, "Warnings": []}).encode()
            case "GET", "/images/apache/kafka:4.3.1/json":
                return 200, json.dumps({"Id": "sha256:1", "RepoTags": []}).encode()
            case "GET", _ if path == f"/containers/{CONTAINER}/json":
                return 200, json.dumps(STATE).encode()
            case "GET", _ if path == f"/containers/{CONTAINER}/logs":
                return 200, LOG
            case "PUT", _ if path == f"/containers/{CONTAINER}/archive":
                return 200, b""
            case ("POST", _) | ("DELETE", _) if path.startswith(f"/containers/{CONTAINER}"):
                return 204, b""
            case _:
                return 404, json.dumps(
                    {"message": f"unexpected: {question.method} {path}"}
                ).encode()


@contextmanager
def fake_docker() -> Generator[FakeDocker]:
    """Listen on a socket of a short name: the system allows a hundred characters."""
    with tempfile.TemporaryDirectory(prefix="docker-") as directory:
        engine = FakeDocker(Path(directory) / "docker.sock")
        server = _Server(str(engine.socket), _Answering)
        server.engine = engine
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield engine
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    engine: FakeDocker


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:
        """A test reads the questions; nobody reads a log."""

    def _answer(self) -> None:
        assert isinstance(self.server, _Server)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = re.sub(r"^/v[\d.]+", "", self.path)
        code, content = self.server.engine.answer(Question(self.command, path, body))
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        if code != 204:
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        if content and self.command != "HEAD":
            self.wfile.write(content)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer
