"""The command `import git`: what it refuses before it sends anything."""

from __future__ import annotations

from pathlib import Path

from docreactor.gateway.broker.progress import Step
from docreactor.gateway.cli.import_git import bars_shown
from docreactor.gateway.demo.sample import write_repository
from docreactor.gateway.server import listen
from tests.gateway.cli.test_worker import run


def test_a_folder_of_no_repository_is_refused_by_name(tmp_path: Path) -> None:
    environment = {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}

    done = run("import", "git", str(tmp_path), environment=environment)

    assert done.returncode == 1
    assert "NotARepository" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_deployment_that_is_not_there_is_told_within_seconds(tmp_path: Path) -> None:
    path = write_repository(tmp_path / "r")
    listener = listen("127.0.0.1", 0, None)
    listener.socket.close()

    done = run("import", "git", str(path), "--url", listener.url, "--json", environment={})

    assert done.returncode == 1
    assert "ServerUnreachable" in done.stderr
    assert done.stdout == ""


def test_progress_takes_one_step_after_the_other() -> None:
    with bars_shown() as progress:
        progress(Step("Reading", 1, 2))
        progress(Step("Reading", 2, 2))
        progress(Step("Waiting"))
        progress(Step("Importing", 5, 9))
