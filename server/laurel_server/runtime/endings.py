"""How what runs beside the calls is ended."""

import asyncio
from collections.abc import Iterable

ASK_AGAIN_SECONDS = 0.5


async def end_all(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel tasks until all have ended: one that was connecting to an engine may take a cancellation for a timeout."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)
