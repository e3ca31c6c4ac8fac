"""Asks a Redis who it is."""

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, RedisError


async def server_version(url: str) -> str:
    """Sends PING and returns the server's version, such as `6.2.5`; a Valkey names the Redis that it equals.

    Raises OSError if the server does not answer, PermissionError if it does not accept the password,
    ValueError if the address is not one.
    """
    async with Redis.from_url(
        url, socket_connect_timeout=5, socket_timeout=5, decode_responses=True
    ) as client:
        try:
            await client.ping()
            return str((await client.info("server"))["redis_version"])
        except AuthenticationError as error:
            raise PermissionError(str(error)) from error
        except RedisError as error:
            raise ConnectionError(str(error)) from error
