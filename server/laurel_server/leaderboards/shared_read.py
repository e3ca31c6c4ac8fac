"""One read for all who want the same at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRead(Generic[T]):
    """One read at a time. Whoever asks while one runs shares the next, which begins after he asked."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._running: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    async def __call__(self) -> T:
        """Return what a read gave that began after this call. Raises what it raises."""
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._running))
            self._next.add_done_callback(_note_error)
        return await asyncio.shield(self._next)  # who goes away must not stop what others wait for

    async def _after(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        try:
            return await self._read()
        finally:
            self._running = None


def _note_error(read: asyncio.Task[object]) -> None:
    """Take note of what a read raised: all who wanted it may have gone, and asyncio would complain of it."""
    if not read.cancelled():
        read.exception()
