"""Work that goes on beside calls takes half of the time: what it needs is busy with their work in between."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

COMMANDS_AT_ONCE: Final = 25
"""Commands of a job that join the group commit together: an award behind them waits some 20 ms."""


@asynccontextmanager
async def resting() -> AsyncIterator[None]:
    """Rest for as long as the work in the context has taken, once it is done."""
    began = time.perf_counter()
    yield
    await asyncio.sleep(time.perf_counter() - began)
