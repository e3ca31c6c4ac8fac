"""Asks a Redis who it is."""

from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError


class Server(NamedTuple):
    """What a server says of itself: its version, such as `6.2.5`, and whether it is a node of a cluster."""

    version: str
    is_cluster: bool


async def look_at(url: str) -> Server:
    """Sends PING and returns who answers; a Valkey names the version of the Redis that it equals.

    Raises OSError if the server does not answer, PermissionError if it does not accept the password,
    ValueError if the address is not one.
    """
    async with Redis.from_url(
        url, socket_connect_timeout=5, socket_timeout=5, decode_responses=True
    ) as client:
        try:
            await client.ping()
            info = await client.info("server")
            return Server(str(info["redis_version"]), info.get("redis_mode") == "cluster")
        except AuthenticationError as error:
            raise PermissionError(str(error)) from error
        except RedisError as error:
            raise ConnectionError(str(error)) from error
