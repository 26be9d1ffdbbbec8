"""States that grow by as much as they are told."""

from __future__ import annotations

import pytest

from docreactor.bench.growth import DOCUMENT_TYPE, growing, growth, stream_of
from docreactor.gateway.testing import create_test_write_cache


@pytest.mark.parametrize("ratio", [0.1, 0.3, 1.0])
async def test_a_state_grows_by_its_part_of_what_is_stored(ratio: float) -> None:
    with create_test_write_cache(growth) as side:
        asked = await growing(side, ratio)
        await side.create(DOCUMENT_TYPE, "d")
        stream = await side.submit("d", asked.actions(50))
        stored = sum(len(content) for _, content in side.operations.page(stream, 0, 50))
        state = await side.cache.get(stream)

    assert stream == stream_of("d")
    assert len(state.content) / stored == pytest.approx(ratio, rel=0.05)
