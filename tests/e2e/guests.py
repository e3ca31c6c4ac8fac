"""A client for one test of several that share a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laurel_client import Laurel
from tests.e2e.serving import Serve


@asynccontextmanager
async def visited(serve: Serve) -> AsyncIterator[Laurel]:
    """Gives a client; erases everybody afterwards, so that the next test finds all boards empty.

    Rules, boards and request ids stay: a test undoes what would be in the way of others.
    """
    async with Laurel(serve.run["grpc"], timeout=30) as laurel:
        try:
            yield laurel
        finally:
            for user in [user async for user in laurel.admin.list_users()]:
                await laurel.admin.erase_user(user.user_id)
