"""Who keeps the generations of the read models in one partition."""

from __future__ import annotations

from docreactor.agents.arrival import Arrived
from docreactor.agents.deployment import Deployment
from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.kept import store_name
from docreactor.agents.model_row import DOCUMENTS, RELATIONSHIPS
from docreactor.agents.projection import Projection
from docreactor.agents.relationships import RelationshipAgent
from docreactor.agents.rows_projection import RowsProjection
from docreactor.agents.shelf import DOCUMENTS_SCHEMA, RELATIONSHIPS_SCHEMA
from docreactor.pipeline.read_model import ReadModel
from docreactor.tables.store import StoreIdentity


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
        if name == RELATIONSHIPS:
            return self._relationships() if version == RELATIONSHIPS_SCHEMA else None
        model = self._deployment.registry.read_models.get(name)
        if model is None:
            return None
        if model.version == version:
            return self._rows(model, generation)
        return self._frozen(name, generation, version) if model.version > version else None

    def _frozen(self, name: str, generation: int, version: int) -> FrozenRows | None:
        """The rows of an earlier version, if they are here."""
        deployment = self._deployment
        store = deployment.shelf.store(self._partition, store_name(name, generation))
        identity = StoreIdentity(deployment.log_id, version)
        if store.identity != identity:
            return None
        return FrozenRows(name, deployment.topics.operations, store)

    def _relationships(self) -> RelationshipAgent:
        return RelationshipAgent(
            self._deployment,
            self._partition,
            store=self._deployment.shelf.store(self._partition, RELATIONSHIPS),
            write_store=self._arrived.tables.write_store,
        )

    def _rows(self, model: ReadModel, generation: int) -> RowsProjection:
        deployment, partition = self._deployment, self._partition

        def is_muted() -> bool:
            return deployment.coordinator.served(model.name, partition) not in (None, generation)

        return RowsProjection(
            model,
            deployment,
            partition,
            deployment.shelf.store(partition, store_name(model.name, generation)),
            self._arrived.tables,
            is_muted=is_muted,
        )

    def _documents(self, generation: int) -> DocumentsProjection:
        arrived, deployment = self._arrived, self._deployment
        if generation == arrived.generation:
            return arrived.documents
        store = deployment.shelf.store(self._partition, store_name(DOCUMENTS, generation))
        return DocumentsProjection(deployment, self._partition, store, arrived.tables)
