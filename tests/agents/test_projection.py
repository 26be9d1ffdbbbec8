"""What every projection owes."""

from __future__ import annotations

import pytest

from docreactor.agents.documents_projection import DocumentsProjection
from docreactor.agents.frozen_rows import FrozenRows
from docreactor.agents.projection import Projection
from docreactor.agents.relationships import RelationshipAgent
from docreactor.agents.rows_projection import RowsProjection

EVERY = (DocumentsProjection, FrozenRows, RelationshipAgent, RowsProjection)


@pytest.mark.parametrize("kind", EVERY)
def test_each_keeps_rows_sets_documents_aside_and_takes_them_back(kind: type) -> None:
    owed = {name for name in vars(Projection) if not name.startswith("_")} - {"name"}
    assert owed == {
        "apply",
        "clear",
        "close",
        "open",
        "quarantine_of",
        "quarantined",
        "retry",
        "row",
    }
    assert owed <= set(dir(kind))
