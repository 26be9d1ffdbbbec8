"""What a process says of itself: a line per happening, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, TextIO, cast

import orjson
import structlog

from docreactor.pipeline.errors import ReactorError

# Theirs is a running commentary at INFO; what they warn of is worth a line.
COMMENTATORS = ("aiokafka", "asyncio", "faust", "httpx", "mode", "uvicorn")
QUIET_S = 10.0
REMEMBERED_MAX = 1_000

_shared: tuple[structlog.types.Processor, ...]


def keep_journal(stream: TextIO | None = None) -> None:
    """Send every logger's lines to the stream: JSON, or coloured text where it is a terminal.

    The stream is standard error unless another is given. Errors of ours are told by name, without
    a traceback; warnings of libraries are not told.
    """
    structlog.configure(
        processors=[*_shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    place = stream or sys.stderr
    handler = logging.StreamHandler(place)
    handler.setFormatter(_formatter(people=place.isatty()))
    handler.addFilter(_worth_a_line)
    handler.addFilter(Repetition())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in COMMENTATORS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


class Repetition:
    """Lets a library say the same thing once in a while.

    While a broker is away aiokafka tells of each attempt, some forty times a second.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written."""
        if record.name.partition(".")[0] not in COMMENTATORS:
            return True
        key = (record.name, str(record.msg))
        if record.created - self._told.get(key, 0.0) < QUIET_S:
            return False
        if len(self._told) >= REMEMBERED_MAX:
            self._told.clear()
        self._told[key] = record.created
        return True


def named(error: BaseException) -> ReactorError | None:
    """The first error of ours in a chain or a group of them: the one to tell."""
    return next(_ours(error), None)


def tell_end(log: structlog.types.WrappedLogger, what: str, error: BaseException) -> None:
    """The last line of a process that fails: always with `error` and `detail`."""
    facts = {} if named(error) else {"error": type(error).__name__, "detail": str(error)}
    log.critical(what, exc_info=error, **facts)


def _ours(error: BaseException | None) -> Iterator[ReactorError]:
    if isinstance(error, ReactorError):
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            yield from _ours(inner)
    elif error is not None:
        yield from _ours(error.__cause__ or error.__context__)


def _formatter(*, people: bool) -> logging.Formatter:
    last: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if people
        else structlog.processors.JSONRenderer(serializer=_one_line)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )


def _one_line(facts: object, **_: object) -> str:
    return orjson.dumps(facts, default=str).decode()


def _named_errors(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception of ours by its name, its sentence and its facts."""
    given = line.get("exc_info")
    error = given if isinstance(given, BaseException) else sys.exception() if given else None
    if error is not None and (ours := named(error)) is not None:
        del line["exc_info"]
        line.update(error=ours.name(), detail=ours.message)
    return line


def _worth_a_line(record: logging.LogRecord) -> bool:
    # Mode tells of a crash at each service that it passes on its way up, with a traceback; the
    # worker tells of it once, when it ends.
    return not (isinstance(record.msg, str) and "Crashed reason=" in record.msg)


_shared = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _named_errors,
    structlog.processors.format_exc_info,
)
