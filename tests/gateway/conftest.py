"""A node to ask, for every test of the gateway."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.gateway.deployment import Running, one_node


@pytest.fixture
async def one() -> AsyncGenerator[Running]:
    """One node that runs every partition."""
    async with one_node() as running:
        yield running
