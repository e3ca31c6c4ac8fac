"""A single connection, for what is done before or beside the pool."""

import asyncpg


async def open_connection(
    dsn: str, *, timeout_seconds: float = 5, **server_settings: str
) -> asyncpg.Connection:
    """Connects; every failure is an OSError or a ValueError.

    ConnectionError or TimeoutError: there is no answer. PermissionError: the login is not accepted.
    ValueError: the DSN is not one (its text may quote the password).
    """
    try:
        return await asyncpg.connect(dsn, timeout=timeout_seconds, server_settings=server_settings)
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise PermissionError(str(error)) from error
    except asyncpg.ClientConfigurationError as error:
        raise ValueError(str(error)) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise ConnectionError(str(error)) from error


async def server_version(dsn: str) -> str:
    """Runs a statement and returns the server's version, such as `18.4`; raises as `open_connection`."""
    connection = await open_connection(dsn)
    try:
        version: str = await connection.fetchval(
            "SELECT split_part(current_setting('server_version'), ' ', 1)"
        )
    finally:
        await connection.close(timeout=5)
    return version
