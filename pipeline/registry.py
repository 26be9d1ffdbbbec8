"""Which models are here, by document type."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from docreactor.pipeline.errors import InvalidModelError, ReactorError, UnknownModelError
from docreactor.pipeline.keys import Stream
from docreactor.pipeline.model import DocumentModel
from docreactor.pipeline.packages import Packages
from docreactor.pipeline.spec import models_named


class Registry:
    """The models of a process. One document type has one model; the same one may come twice.

    Two of one type among `models` are InvalidModel. What `packages` bring comes after them: what
    fails there, or is another model of a known type, is one of the `failures` and stops nothing.
    """

    def __init__(self, models: Iterable[DocumentModel], packages: Packages | None = None) -> None:
        found: dict[str, DocumentModel] = {}
        for model in models:
            _add(found, model)
            # Asked for here, so that versions with a gap are refused before anything starts.
            _ = model.version
        self._models: Mapping[str, DocumentModel] = found
        self._failures: Mapping[str, ReactorError] = {}
        self._packages = packages
        self.accepted: dict[Stream, int] = {}
        """Up to which index of a stream the models' states are accepted, whatever was recorded."""
        self._looking = threading.Lock()
        self.refresh()

    @property
    def models(self) -> Mapping[str, DocumentModel]:
        """Every model by its document type; read only."""
        return MappingProxyType(self._models)

    @property
    def failures(self) -> Mapping[str, ReactorError]:
        """Why an entry point of an installed package brings less than it names; read only."""
        return MappingProxyType(self._failures)

    def model(self, document_type: str) -> DocumentModel:
        """The model of this type, or UnknownModel."""
        try:
            return self._models[document_type]
        except KeyError:
            raise UnknownModelError(document_type) from None

    def refresh(self) -> bool:
        """Look for packages installed meanwhile and try again what failed; true when models came.

        It imports, so it may take long: call it in a thread. Who calls while another looks waits
        for that one's findings.
        """
        before = self._models
        if self._packages is not None:
            with self._looking:
                self._packages.look()
                self._take(self._packages)
        return self._models is not before

    def _take(self, packages: Packages) -> None:
        models, failures = {**self._models}, packages.failures
        for spec, brought in packages.found.items():
            for model in brought:
                try:
                    _add(models, model)
                except InvalidModelError as error:
                    failures[spec] = error
        # New values, never changed ones: others read them meanwhile.
        self._failures = failures
        if models.keys() != self._models.keys():
            self._models = models


def load(specs: Sequence[str]) -> Registry:
    """The models that `--models` names, and those that installed packages bring.

    A spec is `module[:attr]` or `path/to/file.py[:attr]`; without `attr` it is every model of the
    module. Raises ModelNotLoaded for a spec that cannot be imported or holds no model.
    """
    named = [model for spec in specs for model in models_named(spec)]
    return Registry(named, Packages(time.monotonic))


def _add(models: dict[str, DocumentModel], model: DocumentModel) -> None:
    other = models.setdefault(model.document_type, model)
    if other is not model:
        raise InvalidModelError(
            f"two models of {model.document_type}: one from {other.defined_at}, one from "
            f"{model.defined_at}; load one, or give one another document type"
        )
