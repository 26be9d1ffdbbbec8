"""A model under test: alone, in a whole reactor over a log in memory, or over a write cache."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import httpx

from docreactor.agents.clock import SystemClock
from docreactor.agents.log.memory import MemoryLog
from docreactor.agents.log.memory_cluster import MemoryCluster
from docreactor.agents.node import Place, open_node
from docreactor.agents.topics import check_topics, create_topics
from docreactor.agents.write_side import WriteSide
from docreactor.gateway.app import create_app
from docreactor.gateway.client import Reactor
from docreactor.gateway.requests import DEFAULT_SCOPE
from docreactor.pipeline.canonical import JSON
from docreactor.pipeline.context import Context, Origin
from docreactor.pipeline.errors import ImpureReducerError
from docreactor.pipeline.inputs import DEFAULT_BRANCH
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.read_model import ReadModel
from docreactor.pipeline.registry import Registry
from docreactor.pipeline.settings import Settings
from docreactor.pipeline.timestamp import Microseconds, parse, render
from docreactor.tables.keyframes import KeyValueStore
from docreactor.tables.memory import MemoryStore
from docreactor.tables.store import Store

_URL = "http://reactor"
_READY_WITHIN_S = 10.0
_READY_POLL_S = 0.001
_CREATED_AT = "2024-01-01T00:00:00.000000Z"
_ONE_BROKER: dict[str, Any] = {
    "partitions": 1,
    "replication_factor": 1,
    "min_insync_replicas": 1,
    "host": "127.0.0.1",
    "http_token": None,
    "check_purity": True,
}


def play(
    model: DocumentModel,
    actions: Iterable[tuple[str, JSON]],
    *,
    scope: str = DEFAULT_SCOPE,
    initial_state: JSON = None,
) -> Any:
    """The state of a new document after these actions, each a type and an input. Pure.

    What a reducer raises comes out, where a reactor would store it as the operation's error.
    UnknownAction, InvalidInput, InvalidState or ImpureReducer as in a reactor.
    """
    version, header = model.version, Origin("d1", model.document_type, DEFAULT_BRANCH, _CREATED_AT)
    state = model.initial(version, scope, initial_state)
    since = parse(_CREATED_AT)
    for number, (action_type, input) in enumerate(actions, 1):
        context = Context(render(Microseconds(since + number)), f"a{number}", None, header)
        first, again = (
            model.apply(version, scope, action_type, state, input, context) for _ in range(2)
        )
        if model.write(version, scope, first) != model.write(version, scope, again):
            raise ImpureReducerError(action_type)
        state = first
    return state


@asynccontextmanager
async def reactor(*models: DocumentModel | ReadModel, **settings: Any) -> AsyncGenerator[Reactor]:
    """A client of a reactor of these models that lives in this process as long as the block.

    Everything but Kafka and the disk is what a deployment runs. Every reducer runs twice and must
    give one answer. `settings` are those of a deployment, by name; one partition unless told
    otherwise.
    """
    failure: Exception | None = None
    with _alarm_given_back():
        async with AsyncExitStack() as resources:
            client = await _open(resources, Registry(models), Settings(**_ONE_BROKER | settings))
            try:
                yield client
            except Exception as error:  # noqa: BLE001  raised again, but not out of a task group
                failure = error
    if failure is not None:
        raise failure


async def _open(resources: AsyncExitStack, registry: Registry, settings: Settings) -> Reactor:
    log = MemoryLog(MemoryCluster(clock_ms=SystemClock().now_ms), settings)
    resources.push_async_callback(log.close)
    await create_topics(log, settings)
    log_id = await check_topics(log, settings)
    place = Place.here(lambda _: MemoryStore(), _URL)
    node = await resources.enter_async_context(
        open_node(log, registry, settings, log_id=log_id, place=place)
    )
    app = create_app(node)
    await resources.enter_async_context(app.router.lifespan_context(app))
    async with asyncio.timeout(_READY_WITHIN_S):
        while not node.ready():  # noqa: ASYNC110  readiness is asked, never told
            await asyncio.sleep(_READY_POLL_S)
    token = None if settings.http_token is None else settings.http_token.get_secret_value()
    transport = httpx.ASGITransport(app=app)
    return await resources.enter_async_context(Reactor(_URL, token=token, transport=transport))


@contextmanager
def create_test_write_cache(
    *models: DocumentModel,
    store: Store | None = None,
    values: KeyValueStore | None = None,
    **settings: Any,
) -> Generator[WriteSide]:
    """A write cache, and the reducer of a deployment to give it a history; no log, no Kafka.

    `store` keeps the operations, in memory unless given; `values` the keyframes, among the
    operations unless given. `settings` are those of a deployment, by name. Both are stopped and
    closed at the end of the block.
    """
    side = WriteSide(Registry(models), Settings(**settings), store or MemoryStore(), values)
    side.cache.startup()
    try:
        yield side
    finally:
        side.cache.shutdown()
        side.store.close()


@contextmanager
def _alarm_given_back() -> Generator[None]:
    """The bound on a reduce takes the process's alarm; a test runner may have had it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGALRM)
    try:
        yield
    finally:
        # The bound goes on ticking for a moment: without its own handler that would end us.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
