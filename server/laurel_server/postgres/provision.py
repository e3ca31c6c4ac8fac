"""A role and a database for Laurel in a cluster of its own."""

from laurel_server.postgres.connection import open_connection


async def ensure_database(superuser_dsn: str, name: str, password: str) -> None:
    """Makes the role `name`, which is no superuser, and the database `name` that it owns; sets its password.

    May be repeated. `name` must be a plain lower-case word, `password` without quotes.
    """
    connection = await open_connection(superuser_dsn)
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
            await connection.execute(f"CREATE ROLE {name} LOGIN IN ROLE pg_monitor, pg_checkpoint")
        await connection.execute(f"ALTER ROLE {name} PASSWORD '{password}'")
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    finally:
        await connection.close(timeout=5)
