"""The development broker of one data directory: started once, shared, stopped, wiped."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from docreactor.gateway.broker.archive import archive_flags
from docreactor.gateway.broker.home import Home
from docreactor.gateway.broker.lock import lock
from docreactor.gateway.broker.profile import Profile
from docreactor.gateway.broker.progress import Progress, Step
from docreactor.gateway.broker.runtime import find_runtime
from docreactor.gateway.broker.server import (
    Server,
    await_ready,
    end,
    keep_running,
    launch,
    recorded_server,
)
from docreactor.gateway.broker.users import living_users, sweep_users, user_entered
from docreactor.pipeline.errors import BrokerDidNotStartError, BrokerInUseError
from docreactor.pipeline.settings import Settings

# Longer than a first start with its download, so that the second starter waits and then shares.
LOCK_WAIT_S = 900.0


def home_of(settings: Settings) -> Home:
    """Where the development broker of these settings lives."""
    return Home(settings.data.absolute() / "broker")


def start_broker(settings: Settings, *, profile: Profile, progress: Progress) -> Server:
    """Make the development broker run and stay until `stop_broker`, whoever leaves it."""
    home = home_of(settings)
    with lock(home.lock, wait_s=LOCK_WAIT_S, progress=progress):
        server = _running(home, settings, profile=profile, kept=True, progress=progress)
        return server if server.kept else keep_running(home, server)


@contextmanager
def shared_broker(settings: Settings, *, profile: Profile, progress: Progress) -> Generator[Server]:
    """Use the development broker, started if none runs, stopped with its last user.

    One from `start_broker` stays. A user that was killed counts no more, and what it left
    running is used by the next one, or stopped by it.
    """
    home = home_of(settings)
    with ExitStack() as use:
        with lock(home.lock, wait_s=LOCK_WAIT_S, progress=progress):
            server = _running(home, settings, profile=profile, kept=False, progress=progress)
            use.enter_context(user_entered(home))
        try:
            yield server
        finally:
            with lock(home.lock, wait_s=LOCK_WAIT_S, progress=progress):
                use.close()
                _stop_if_unused(home, progress)


def stop_broker(settings: Settings, *, force: bool, progress: Progress) -> Server | None:
    """Stop the development broker and say which it was; None if none ran.

    While others use it it is BrokerInUse, unless forced.
    """
    home = home_of(settings)
    if not home.directory.is_dir():
        return None
    with lock(home.lock, wait_s=LOCK_WAIT_S, progress=progress):
        return _stopped(home, force=force, progress=progress)


def reset_broker(settings: Settings, *, force: bool, progress: Progress) -> None:
    """Stop the development broker as `stop_broker` does, and wipe all that it held."""
    home = home_of(settings)
    if not home.directory.is_dir():
        return
    with lock(home.lock, wait_s=LOCK_WAIT_S, progress=progress):
        _stopped(home, force=force, progress=progress)
        shutil.rmtree(home.data, ignore_errors=True)


def _running(
    home: Home, settings: Settings, *, profile: Profile, kept: bool, progress: Progress
) -> Server:
    if server := recorded_server(home):
        try:
            await_ready(home, server, progress=progress)
        except BrokerDidNotStartError:
            progress(Step("Replacing a broker that does not answer"))
        else:
            return server
    runtime = find_runtime(settings.cache, progress=progress)
    flags = archive_flags(runtime, progress=progress)
    progress(Step("Starting Apache Kafka"))
    server = launch(home, runtime, profile=profile, flags=flags, kept=kept)
    try:
        await_ready(home, server, progress=progress)
    except BaseException:
        # Whoever gives up a start leaves nothing running.
        end(home, server)
        raise
    return server


def _stop_if_unused(home: Home, progress: Progress) -> None:
    sweep_users(home)
    server = recorded_server(home)
    if server and not server.kept and not living_users(home):
        progress(Step("Stopping Apache Kafka"))
        end(home, server)


def _stopped(home: Home, *, force: bool, progress: Progress) -> Server | None:
    sweep_users(home)
    server = recorded_server(home)
    if server is None:
        return None
    if (users := living_users(home)) and not force:
        raise BrokerInUseError(users)
    progress(Step("Stopping Apache Kafka"))
    end(home, server)
    return server
