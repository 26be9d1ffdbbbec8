"""The options of every command that asks a deployment."""

from __future__ import annotations

import pytest
import stamina

from docreactor.gateway.cli.target import asking, waiting
from docreactor.pipeline.errors import ServerUnreachableError


def test_what_to_wait_for_is_said_to_the_client() -> None:
    assert [waiting(one) for one in ("none", "write", "read")] == [None, "write", "read"]


def test_asking_tries_again_in_silence(capsys: pytest.CaptureFixture[str]) -> None:
    before = stamina.instrumentation.get_on_retry_hooks()
    try:
        with asking("http://127.0.0.1:9", None) as reactor, pytest.raises(ServerUnreachableError):
            reactor.models()
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)

    said = capsys.readouterr()
    assert said.out + said.err == ""
