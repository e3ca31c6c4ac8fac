"""Reading ahead: the next chunks are fetched while one is worked on."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def ahead(chunks: AsyncIterator[T], depth: int) -> AsyncIterator[T]:
    """Yield the same chunks, up to `depth` of which are fetched before they are asked for."""
    fetched: asyncio.Queue[T | None] = asyncio.Queue(depth)

    async def fetch() -> None:
        try:
            async for chunk in chunks:
                await fetched.put(chunk)
        except Exception:
            await fetched.put(None)
            raise
        await fetched.put(None)

    fetching = asyncio.create_task(fetch())
    try:
        while (chunk := await fetched.get()) is not None:
            yield chunk
        await fetching  # raises what ended it early
    finally:
        fetching.cancel()
