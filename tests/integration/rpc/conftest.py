from collections.abc import AsyncIterator

import pytest

from tests.integration.rpc.harness import Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Serve with stand-ins for all use cases."""
    async with serving(Served()) as running:
        yield running
