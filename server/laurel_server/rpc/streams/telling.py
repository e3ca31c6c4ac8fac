"""Writes what a watch has to say to its call."""

import asyncio
from typing import Any

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.leaderboards.live.hub import Hub
from laurel_server.leaderboards.live.watch import Watch
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.streams.messages import Messages


async def tell(hub: Hub, watch: Watch[Any], messages: Messages[Any], call: CallContext) -> None:
    """Write until the watch or the call ends. READER_TOO_SLOW.

    A task of its own writes: whenever it is resumed, none of the coroutines of the interceptors have to be.
    """
    try:
        await asyncio.create_task(_write_all(watch, messages, call))
    finally:
        hub.close(watch)
    if watch.ended_for is Reason.READER_TOO_SLOW:
        raise LaurelError(Reason.READER_TOO_SLOW, "the reader was too slow; go on from the last token")


async def _write_all(watch: Watch[Any], messages: Messages[Any], call: CallContext) -> None:
    async for event in watch:
        await call.write(messages.write(event))
