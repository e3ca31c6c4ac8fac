"""A bounded number of calls under way: the next one begins as soon as the oldest has ended."""

import asyncio
from collections import deque
from collections.abc import Coroutine


class Window:
    """Calls under way, at most `size` at a time. The first error of one of them is raised by the next step."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._under_way: deque[asyncio.Task[object]] = deque()

    async def add(self, call: Coroutine[object, object, object]) -> None:
        """Begin a call, when there is room for it."""
        self._under_way.append(asyncio.ensure_future(call))
        if len(self._under_way) >= self._size:
            await self._under_way.popleft()

    async def end(self) -> None:
        """Wait for the calls that are left."""
        while self._under_way:
            await self._under_way.popleft()

    def cancel(self) -> None:
        """Give up the calls that are left."""
        for task in self._under_way:
            if not task.cancel() and not task.cancelled():
                task.exception()  # the first one was raised already; asyncio would complain of the others
