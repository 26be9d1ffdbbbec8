"""What a process says of itself: a line per happening, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from typing import Any, TextIO

import orjson
import structlog

from docreactor.pipeline.errors import ReactorError

# Theirs is a running commentary at INFO; what they warn of is worth a line.
COMMENTATORS = ("aiokafka", "asyncio", "faust", "httpx", "mode", "uvicorn")

_shared: tuple[structlog.types.Processor, ...]


def keep_journal(stream: TextIO = sys.stderr) -> None:
    """Send every logger's lines to the stream: JSON, or coloured text where it is a terminal.

    Errors of ours are told by name, without a traceback; warnings of libraries are not told.
    """
    structlog.configure(
        processors=[*_shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(people=stream.isatty()))
    handler.addFilter(_worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in COMMENTATORS:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)


def named(error: BaseException) -> ReactorError | None:
    """The first error of ours in a chain or a group of them: the one to tell."""
    return next(_ours(error), None)


def _ours(error: BaseException | None) -> Iterator[ReactorError]:
    if isinstance(error, ReactorError):
        yield error
    elif isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
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
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException) and (ours := named(error)) is not None:
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
