"""Starts that go on at the same time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

A = TypeVar("A")


async def side_by_side(*starts: Coroutine[Any, Any, A]) -> list[A]:
    """Awaits all and returns their results; when one fails the others are cancelled, and its error raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(start) for start in starts]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
