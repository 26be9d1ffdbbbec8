"""Which models are here: those of documents by their type, read models by their name."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from docreactor.pipeline.errors import InvalidModelError, ReactorError, UnknownModelError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.packages import Packages, check_models
from docreactor.pipeline.read_model import ReadModel, place_of
from docreactor.pipeline.spec import Model, models_named


class Registry:
    """The models of a process, one of each document type or name; the same may come twice.

    Two of one type or name among `models` are InvalidModel, and so is one that cannot work. What
    `packages` bring comes after them: what fails there, or is another model of a known type or
    name, is one of the `failures` and stops nothing.
    """

    def __init__(self, models: Iterable[Model], packages: Packages | None = None) -> None:
        given, found = list(models), _Found({}, {})
        check_models(given)
        for model in given:
            found.add(model)
        self._found = found
        self._failures: Mapping[str, ReactorError] = {}
        self._packages = packages
        self.accepted: dict[Stream, int] = {}
        """Up to which index of a stream the models' states are accepted, whatever was recorded."""
        self._looking = threading.Lock()
        self.refresh()

    @property
    def models(self) -> Mapping[str, DocumentModel]:
        """Every model of documents by its type; read only."""
        return MappingProxyType(self._found.models)

    @property
    def read_models(self) -> Mapping[str, ReadModel]:
        """Every read model of users by its name; read only."""
        return MappingProxyType(self._found.read_models)

    @property
    def failures(self) -> Mapping[str, ReactorError]:
        """Why an entry point of an installed package brings less than it names; read only."""
        return MappingProxyType(self._failures)

    def model(self, document_type: str) -> DocumentModel:
        """The model of this type, or UnknownModel."""
        try:
            return self._found.models[document_type]
        except KeyError:
            raise UnknownModelError(document_type) from None

    def refresh(self) -> bool:
        """Look for packages installed meanwhile and try again what failed; true when models came.

        It imports, so it may take long: call it in a thread. Who calls while another looks waits
        for that one's findings.
        """
        before = self._found
        if self._packages is not None:
            with self._looking:
                self._packages.look()
                self._take(self._packages)
        return self._found is not before

    def _take(self, packages: Packages) -> None:
        found, failures = self._found.copy(), packages.failures
        for spec, brought in packages.found.items():
            for model in brought:
                try:
                    found.add(model)
                except InvalidModelError as error:
                    failures[spec] = error
        # New values, never changed ones: others read them meanwhile.
        self._failures = failures
        if len(found) != len(self._found):
            self._found = found


def load(specs: Sequence[str]) -> Registry:
    """The models that `--models` names, and those that installed packages bring.

    A spec is `module[:attr]` or `path/to/file.py[:attr]`; without `attr` it is every model of the
    module. Raises ModelNotLoaded for a spec that cannot be imported or holds no model.
    """
    named = [model for spec in specs for model in models_named(spec)]
    return Registry(named, Packages(time.monotonic))


@dataclass(frozen=True, slots=True)
class _Found:
    """Models of documents by type, and read models by name."""

    models: dict[str, DocumentModel]
    read_models: dict[str, ReadModel]

    def __len__(self) -> int:
        return len(self.models) + len(self.read_models)

    def copy(self) -> _Found:
        """The same, to add to."""
        return _Found({**self.models}, {**self.read_models})

    def add(self, model: Model) -> None:
        """InvalidModel for another one of the same type or name."""
        if isinstance(model, DocumentModel):
            other = self.models.setdefault(model.document_type, model)
            if other is not model:
                raise InvalidModelError(
                    f"two models of {model.document_type}: one from {other.defined_at}, one from "
                    f"{model.defined_at}; load one, or give one another document type"
                )
            return
        known = self.read_models.setdefault(model.name, model)
        if known is not model:
            raise InvalidModelError(
                f"two read models {model.name}: one from {place_of(known)}, one from "
                f"{place_of(model)}; load one, or give one another name"
            )
