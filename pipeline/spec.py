"""What `--models` or an entry point names: modules, files, and the models in them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, TypeGuard, cast

from docreactor.pipeline.errors import ModelNotLoadedError
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.read_model import ReadModel, is_ready_made

Model = DocumentModel | ReadModel
"""What authors write: a type of document, or rows of their own."""

_NOT_THE_AUTHORS = (
    str(Path(__file__).parent) + os.sep,
    sysconfig.get_path("stdlib") + os.sep,
    "<frozen ",
)
_NONE_DEFINED = "it defines no DocumentModel and no ReadModel"


def models_named(spec: str) -> list[Model]:
    """The models of `module[:attr]` or `path/to/file.py[:attr]`, or ModelNotLoaded.

    A class derived from ReadModel stands for its one instance, if it takes no arguments; in a
    module that has an instance of it already, for nothing.

    Modules in the current directory are found as `python -m` finds them.
    """
    place, attribute = _split(spec)
    module = _file(spec, Path(place)) if place.endswith(".py") else _module(spec, place)
    if attribute is None:
        return _found(spec, module)
    if not hasattr(module, attribute):
        raise ModelNotLoadedError(f"{spec}: {place} has no {attribute}; name one that it has")
    return _models(spec, getattr(module, attribute), attribute)


def models_at(point: EntryPoint) -> list[Model]:
    """The models of an installed package's entry point, or ModelNotLoaded."""
    spec = spec_of(point)
    try:
        value = point.load()
    except (Exception, SystemExit) as cause:
        raise _failed(spec, cause) from cause
    if isinstance(value, ModuleType):
        return _found(spec, value)
    return _models(spec, value, point.value)


def spec_of(point: EntryPoint) -> str:
    """What an entry point is called in messages."""
    return f"{point.name} = {point.value} of an installed package"


def _split(spec: str) -> tuple[str, str | None]:
    """The place and the attribute. A drive letter's colon is part of the place."""
    place, colon, attribute = spec.rpartition(":")
    if not colon or spec.endswith(".py"):
        return spec, None
    return place, attribute


def _models(spec: str, value: Any, what: str) -> list[Model]:
    if isinstance(value, list | tuple):
        items = [_model(spec, item) for item in cast(Iterable[Any], value)]
        if None not in items:
            return _chosen(spec, items, f"{what} is empty")
    elif (model := _model(spec, value)) is not None:
        return [model]
    raise ModelNotLoadedError(
        f"{spec}: {what} is neither a DocumentModel nor a ReadModel nor a sequence of them"
    )


def _model(spec: str, value: Any) -> Model | None:
    """The model that a value is, or stands for."""
    if isinstance(value, DocumentModel | ReadModel):
        return value
    if not _is_class(value):
        return None
    if not is_ready_made(value):
        raise ModelNotLoadedError(
            f"{spec}: {value.__name__} lacks `name` or `apply`, or takes arguments; name an "
            "instance of it"
        )
    try:
        return _instance(value)
    except Exception as cause:
        raise _failed(spec, cause) from cause


def _found(spec: str, module: ModuleType) -> list[Model]:
    """Every model of a module."""
    values = list(vars(module).values())
    models = [value for value in values if isinstance(value, DocumentModel | ReadModel)]
    made = {type(model) for model in models}
    for value in values:
        if _is_class(value) and value not in made and is_ready_made(value):
            models += _models(spec, value, value.__name__)
    return _chosen(spec, models, _NONE_DEFINED)


def _chosen(spec: str, values: Iterable[Model | None], otherwise: str) -> list[Model]:
    found = {id(value): value for value in values if value is not None}
    if not found:
        raise ModelNotLoadedError(f"{spec}: {otherwise}; name a module or a file that has one")
    return list(found.values())


def _is_class(value: Any) -> TypeGuard[type[ReadModel]]:
    return isinstance(value, type) and issubclass(value, ReadModel)


@cache
def _instance(kind: type[ReadModel]) -> ReadModel:
    """One for all specs: the same model may be named twice."""
    return kind()


def _module(spec: str, name: str) -> ModuleType:
    here = str(Path.cwd())
    if not {here, ""} & {*sys.path}:
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as cause:
        if cause.name is not None and f"{name}.".startswith(f"{cause.name}."):
            raise ModelNotLoadedError(
                f"{spec}: no module {cause.name} in {here} or among the installed packages; "
                "start where it lies, or name its file, path/to/file.py"
            ) from cause
        raise _failed(spec, cause) from cause
    except (Exception, SystemExit) as cause:
        raise _failed(spec, cause) from cause


def _file(spec: str, path: Path) -> ModuleType:
    path = path.absolute()
    if not path.is_file():
        raise ModelNotLoadedError(f"{spec}: there is no file {path}; correct the path")
    name = f"{path.stem}_{sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    if str(path.parent) not in sys.path:
        # Behind everything else: a neighbour of the file never hides an installed package.
        sys.path.append(str(path.parent))
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ModelNotLoadedError(f"{spec}: {path} is no Python file; name one")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except (Exception, SystemExit) as cause:
        del sys.modules[name]
        raise _failed(spec, cause) from cause
    return module


def _failed(spec: str, cause: BaseException) -> ModelNotLoadedError:
    """What went wrong and where, in one line: the author's line, not the importer's."""
    if isinstance(cause, SyntaxError):
        where, reason = f"{cause.filename}, line {cause.lineno}", cause.msg
    else:
        last = _authors(traceback.extract_tb(cause.__traceback__))
        where = f"{last.filename}, line {last.lineno}"
        reason = str(cause) or "no message"
    return ModelNotLoadedError(
        f"{spec}: {type(cause).__name__}: {reason} ({where}); correct it and start again",
        cause=type(cause).__name__,
    )


def _authors(frames: Sequence[traceback.FrameSummary]) -> traceback.FrameSummary:
    """The innermost line that lies in no installed package and not in this program."""
    for frame in reversed(frames):
        installed = f"{os.sep}site-packages{os.sep}" in frame.filename
        if not installed and not frame.filename.startswith(_NOT_THE_AUTHORS):
            return frame
    return frames[-1]
