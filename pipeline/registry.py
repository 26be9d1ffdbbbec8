"""Which models are here: by document type, found by name, by path or by entry point."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, cast

from docreactor.pipeline.errors import InvalidModelError, ModelNotLoadedError, UnknownModelError
from docreactor.pipeline.model import DocumentModel

ENTRY_POINT_GROUP = "docreactor.models"

_NOT_THE_AUTHORS = (
    str(Path(__file__).parent) + os.sep,
    sysconfig.get_path("stdlib") + os.sep,
    "<frozen ",
)


class Registry:
    """The models of a process. One document type has one model; the same one may come twice."""

    def __init__(self, models: Iterable[DocumentModel]) -> None:
        found: dict[str, DocumentModel] = {}
        for model in models:
            other = found.setdefault(model.document_type, model)
            if other is not model:
                raise InvalidModelError(
                    f"two models of {model.document_type}: one from {other.defined_at}, one from "
                    f"{model.defined_at}; load one, or give one another document type"
                )
            # Asked for here, so that versions with a gap are refused before anything starts.
            _ = model.version
        self._models = found

    @property
    def models(self) -> Mapping[str, DocumentModel]:
        """Every model by its document type; read only."""
        return MappingProxyType(self._models)

    def model(self, document_type: str) -> DocumentModel:
        """The model of this type, or UnknownModel."""
        try:
            return self._models[document_type]
        except KeyError:
            raise UnknownModelError(document_type) from None


def load(specs: Sequence[str]) -> Registry:
    """The models that `--models` names, and those that installed packages bring.

    A spec is `module[:attr]` or `path/to/file.py[:attr]`; without `attr` it is every model of the
    module. Modules in the current directory are found as `python -m` finds them. Raises
    ModelNotLoaded for what cannot be imported or holds no model.
    """
    named = [model for spec in specs for model in _of_spec(spec)]
    return Registry([*named, *_of_packages()])


def _of_spec(spec: str) -> list[DocumentModel]:
    place, attribute = _split(spec)
    module = _file(spec, Path(place)) if place.endswith(".py") else _module(spec, place)
    if attribute is None:
        return _chosen(spec, list(vars(module).values()), "it defines no DocumentModel")
    if not hasattr(module, attribute):
        raise ModelNotLoadedError(f"{spec}: {place} has no {attribute}; name one that it has")
    return _models(spec, getattr(module, attribute), attribute)


def _split(spec: str) -> tuple[str, str | None]:
    """The place and the attribute. A drive letter's colon is part of the place."""
    place, colon, attribute = spec.rpartition(":")
    if not colon or spec.endswith(".py"):
        return spec, None
    return place, attribute


def _models(spec: str, value: Any, what: str) -> list[DocumentModel]:
    if isinstance(value, DocumentModel):
        return [value]
    if isinstance(value, list | tuple):
        items = [*cast(Iterable[Any], value)]
        if all(isinstance(item, DocumentModel) for item in items):
            return _chosen(spec, items, f"{what} is empty")
    raise ModelNotLoadedError(f"{spec}: {what} is neither a DocumentModel nor a sequence of them")


def _chosen(spec: str, values: Iterable[Any], otherwise: str) -> list[DocumentModel]:
    found = {id(value): value for value in values if isinstance(value, DocumentModel)}
    if not found:
        raise ModelNotLoadedError(f"{spec}: {otherwise}; name a module or a file that has one")
    return list(found.values())


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


def _of_packages() -> Iterator[DocumentModel]:
    for point in entry_points(group=ENTRY_POINT_GROUP):
        spec = f"{point.name} = {point.value} of an installed package"
        try:
            value = point.load()
        except (Exception, SystemExit) as cause:
            raise _failed(spec, cause) from cause
        if isinstance(value, ModuleType):
            yield from _chosen(spec, vars(value).values(), "it defines no DocumentModel")
        else:
            yield from _models(spec, value, point.value)


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
