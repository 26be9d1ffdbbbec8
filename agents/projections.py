"""Who keeps the generations of the read models in one partition."""

from __future__ import annotations

from docreactor.agents.arrival import Arrived
from docreactor.agents.deployment import Deployment
from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.agents.model_row import DOCUMENTS
from docreactor.agents.projection import Projection
from docreactor.agents.read_models import store_name
from docreactor.agents.shelf import DOCUMENTS_SCHEMA


class Projections:
    """Makes the projection of a generation over its store."""

    def __init__(self, deployment: Deployment, partition: int, arrived: Arrived) -> None:
        self._deployment = deployment
        self._partition = partition
        self._arrived = arrived

    def make(self, name: str, generation: int) -> Projection | None:
        """None where this worker cannot run it: it lacks the model, or has another version."""
        version = self._deployment.coordinator.model(name).versions[generation]
        if name == DOCUMENTS:
            return self._documents(generation) if version == DOCUMENTS_SCHEMA else None
        return None

    def _documents(self, generation: int) -> DocumentsProjection:
        arrived, deployment = self._arrived, self._deployment
        if generation == arrived.generation:
            return arrived.documents
        store = deployment.shelf.store(self._partition, store_name(DOCUMENTS, generation))
        return DocumentsProjection(deployment, self._partition, store, arrived.tables.write)
