"""A client and a server that answers as told."""

from collections.abc import AsyncIterator

import pytest

from laurel_client import Laurel
from tests.unit.client.standin import Standin, connected


@pytest.fixture
async def server() -> Standin:
    return Standin()


@pytest.fixture
async def laurel(server: Standin) -> AsyncIterator[Laurel]:
    async with connected(server, timeout=30, patience=30) as client:
        yield client
